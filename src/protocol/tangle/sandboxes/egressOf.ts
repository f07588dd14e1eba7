import { isIPv4 } from 'node:net';
import type { Egress } from '../../../host/sandboxes/sandboxes.ts';

type Maybe<T> = T | null | undefined;

/** As clients say it: `egressPolicy` by mode and domains, `network` by networks (facts, sections 5 and 9). */
export interface WantedEgress {
  readonly egressPolicy?: Maybe<{
    readonly mode?: Maybe<'open' | 'strict' | 'blocked'>;
    readonly allowDomains?: Maybe<readonly string[]>;
  }>;
  readonly network?: Maybe<{
    readonly blockOutbound?: Maybe<boolean>;
    readonly allowList?: Maybe<readonly string[]>;
  }>;
}

export interface ReadEgress {
  /** Undefined: nothing was said. */
  readonly egress: Egress | undefined;
  /** What no engine here enforces, in words: it is refused, never weakened. */
  readonly unenforceable: readonly string[];
}

/** `strict` is exactly what is listed: there are no implicit domains. */
export function egressOf({ egressPolicy, network }: WantedEgress): ReadEgress {
  const mode = egressPolicy?.mode;
  const isBlocked = network?.blockOutbound === true;
  const listed = [...(egressPolicy?.allowDomains ?? []), ...(network?.allowList ?? [])];
  if ((isBlocked || mode === 'blocked') && listed.length > 0)
    return { egress: undefined, unenforceable: ['what blocks everything has no list of what is allowed'] };
  const names = listed.filter((one) => networkOf(one) === undefined);
  const unenforceable = names.map(
    (name) => `${name}: networks (203.0.113.0/24) are enforced, names of domains are not`,
  );
  if (mode === 'open' && listed.length === 0 && !isBlocked) return { egress: 'internet', unenforceable };
  if (mode === 'blocked' || isBlocked) return { egress: 'none', unenforceable };
  if (mode === 'strict' || listed.length > 0) {
    const networks = listed.flatMap((one) => networkOf(one) ?? []);
    return { egress: networks.length > 0 ? [...new Set(networks)] : 'none', unenforceable };
  }
  return { egress: undefined, unenforceable };
}

/** A network of IPv4, or an address as the network of it alone. */
function networkOf(text: string): string | undefined {
  const [address = '', bits = '32', ...rest] = text.split('/');
  const isNetwork = isIPv4(address) && /^([0-9]|[12][0-9]|3[0-2])$/.test(bits) && rest.length === 0;
  return isNetwork ? `${address}/${bits}` : undefined;
}
