import { isRuntimeError } from '../../../../base/errors.ts';
import { closePass } from './passThroughDocker.ts';
import { ruleset } from './ruleset.ts';
import { runFilter } from './runFilter.ts';

/** Takes everything of a host's out of the packet filter. Throws as `runFilter` where something of it stays. */
export async function removeRules(host: string): Promise<void> {
  const none = { bridges: [], open: [], openHere: [], resolvers: [] };
  await runFilter('nft', ['-f', '-'], ruleset(host, none));
  await closePass(host).catch((error: unknown) => {
    // There is no iptables, and so nothing in it.
    if (!isRuntimeError(error, 'config')) throw error;
  });
}
