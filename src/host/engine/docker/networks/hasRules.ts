import { isRuntimeError } from '../../../../base/errors.ts';
import { passChain } from './passThroughDocker.ts';
import { tableName } from './ruleset.ts';
import { runFilter } from './runFilter.ts';

/** Whether anything in the packet filter is this host's. */
export async function hasRules(host: string): Promise<boolean> {
  // Where there is no such program there is nothing in it.
  const said = (program: string, ...args: string[]) =>
    runFilter(program, args).catch((error: unknown) => {
      if (isRuntimeError(error, 'config')) return '';
      throw error;
    });
  const lines = (text: string) => text.split('\n');
  if (lines(await said('nft', 'list', 'tables')).includes(`table inet ${tableName(host)}`)) return true;
  return lines(await said('iptables', '--wait', '5', '-S')).includes(`-N ${passChain(host)}`);
}
