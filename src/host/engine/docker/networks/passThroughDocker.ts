import { hash } from 'node:crypto';
import { isRuntimeError } from '../../../../base/errors.ts';
import type { Opened } from './resolveOpen.ts';
import { runFilter } from './runFilter.ts';

/** At most 28 characters. */
export function passChain(host: string): string {
  return `RUNTIME-${hash('sha256', host).slice(0, 12)}`;
}

/**
 * The engine keeps its networks apart, our bridges from a store that runs in a network of its own as well. Its chain for
 * operators, DOCKER-USER, comes before that: what is open to all bots is let through there, and nothing else. Our own table has
 * been passed by then.
 */
export async function passThroughDocker(host: string, { open, openHere }: Opened): Promise<void> {
  const chain = passChain(host);
  const from = `-A ${chain} -i rtb+ -p tcp`;
  const rules = [
    ...open.map(({ address, port }) => `${from} -d ${address} --dport ${port} -j ACCEPT`),
    ...open.map(
      ({ address, port }) =>
        `${from} -m conntrack --ctstate DNAT --ctorigdst ${address} --ctorigdstport ${port} -j ACCEPT`,
    ),
    ...openHere.map((port) => `${from} -m conntrack --ctstate DNAT --ctorigdstport ${port} -j ACCEPT`),
    `-A ${chain} -o rtb+ -p tcp -m conntrack --ctstate ESTABLISHED -j ACCEPT`,
  ];
  const input = `*filter\n:${chain} - [0:0]\n${rules.join('\n')}\nCOMMIT\n`;
  await runFilter('iptables-restore', ['--wait', '5', '--noflush'], input);
  const jump = ['DOCKER-USER', '-j', chain];
  try {
    await runFilter('iptables', ['--wait', '5', '-C', ...jump]);
  } catch (error) {
    if (!isRuntimeError(error, 'unavailable')) throw error;
    await runFilter('iptables', ['--wait', '5', '-I', ...jump]);
  }
}

/** Takes that chain and its jumps away, however many there are. Throws `unavailable` where something of it stays. */
export async function closePass(host: string): Promise<void> {
  const chain = passChain(host);
  const jump = `-A DOCKER-USER -j ${chain}`;
  const rules = (await runFilter('iptables', ['--wait', '5', '-S'])).split('\n');
  if (!rules.includes(`-N ${chain}`)) return;
  const lines = [...rules.filter((rule) => rule === jump).map(() => jump.replace('-A', '-D')), `-X ${chain}`];
  // Naming the chain empties it.
  const input = `*filter\n:${chain} - [0:0]\n${lines.join('\n')}\nCOMMIT\n`;
  await runFilter('iptables-restore', ['--wait', '5', '--noflush'], input);
}
