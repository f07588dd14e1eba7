import { isRuntimeError } from '../../../../base/errors.ts';
import type { Bridge } from './bridge.ts';
import type { Reachable } from './networkOptions.ts';
import { closePass, passThroughDocker } from './passThroughDocker.ts';
import { type Opened, resolveOpen, resolversHere } from './resolveOpen.ts';
import { ruleset } from './ruleset.ts';
import { runFilter } from './runFilter.ts';

export interface Isolation {
  /** Puts the rules for these bridges in place of all that were there; resolves once the kernel has them. */
  apply(bridges: readonly Bridge[]): Promise<void>;
  /** What was resolved for the rules that are in place. */
  readonly opened: Opened;
}

const nothing: Opened = { open: [], openHere: [], names: {}, unknown: [] };

export function createIsolation(
  host: string,
  reachable: readonly Reachable[],
  warn: (message: string) => void,
): Isolation {
  let opened = nothing;
  return {
    get opened() {
      return opened;
    },
    async apply(bridges) {
      opened = keepKnown(await resolveOpen(reachable), opened);
      for (const name of opened.unknown)
        warn(`${name} has no IPv4 address: bots without name servers do not reach it`);
      const { open, openHere } = opened;
      await runFilter(
        'nft',
        ['-f', '-'],
        ruleset(host, { bridges, open, openHere, resolvers: resolversHere() }),
      );
      try {
        await (bridges.length === 0 ? closePass(host) : passThroughDocker(host, opened));
      } catch (error) {
        // An engine with another packet filter has no such chain.
        if (!isRuntimeError(error)) throw error;
        warn(`a store in another network of the engine's cannot be reached by bots: ${error.message}`);
      }
    },
  };
}

/** A name server that is away for a minute must not cut bots off from their store. */
function keepKnown(now: Opened, before: Opened): Opened {
  if (now.unknown.length === 0) return now;
  const key = ({ address, port }: Opened['open'][number]) => `${address}:${port}`;
  const known = new Set(now.open.map(key));
  return {
    ...now,
    open: [...now.open, ...before.open.filter((entry) => !known.has(key(entry)))],
    names: { ...before.names, ...now.names },
  };
}
