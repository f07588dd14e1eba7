import { isIPv4 } from 'node:net';
import { RuntimeError } from '../../../../base/errors.ts';
import type { Egress } from '../../../bots/botSpec.ts';

/** Networks of a bot's become rules of the packet filter: what is not one exactly gets nowhere near it. Throws `config`. */
export function checkEgress(egress: Egress): void {
  if (typeof egress === 'string') return;
  const wrong = egress.filter((network) => {
    const [address = '', bits = '32', ...rest] = network.split('/');
    return !isIPv4(address) || !/^([0-9]|[12][0-9]|3[0-2])$/.test(bits) || rest.length > 0;
  });
  if (wrong.length === 0) return;
  throw new RuntimeError(
    'config',
    `network.egress: ${wrong.map((text) => JSON.stringify(text)).join(', ')}`,
    {
      hint: 'Expected IPv4 networks as 203.0.113.0/24: bots have no IPv6.',
    },
  );
}
