import type { Egress } from '../../bots/botSpec.ts';
import { privateNetworks } from '../../engine/privateNetworks.ts';

/** Whether whoever may reach `asked` reaches nothing beyond `allowed`. */
export function isWithin(asked: Egress, allowed: Egress): boolean {
  if (asked === 'none') return true;
  if (asked === 'internet') return allowed === 'internet';
  if (allowed === 'none') return asked.length === 0;
  return asked.every((network) =>
    allowed === 'internet'
      ? !privateNetworks.some((closed) => overlap(network, closed))
      : allowed.some((open) => contains(open, network)),
  );
}

function contains(outer: string, inner: string): boolean {
  const [a, b] = [range(outer), range(inner)];
  return a.first <= b.first && b.last <= a.last;
}

function overlap(one: string, other: string): boolean {
  const [a, b] = [range(one), range(other)];
  return a.first <= b.last && b.first <= a.last;
}

/** First and last address as numbers. */
function range(network: string): { readonly first: number; readonly last: number } {
  const [address = '', bits = '32'] = network.split('/');
  const number = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - Number(bits));
  const first = Math.floor(number / size) * size;
  return { first, last: first + size - 1 };
}
