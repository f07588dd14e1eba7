import type { Clock } from '../../base/clock.ts';
import type { ObjectStore } from '../../store/objectStore.ts';
import { heardOf } from './heartbeat.ts';
import { type OwnerHost, SILENT_MS } from './owners.ts';

/** When other hosts were last heard of, and what follows from their silence. */
export interface Hearing {
  listen(signal: AbortSignal): Promise<void>;
  /** By the store's clock; undefined: it has ended in order. */
  heardAt(host: OwnerHost): number | undefined;
  /** What it has is free. */
  isGone(host: OwnerHost, me: OwnerHost): boolean;
}

export interface HearingOptions {
  readonly open: () => Promise<ObjectStore>;
  readonly prefix: string;
  readonly lostHost: 'wait' | 'replace';
  readonly clock: Clock;
}

/** Whoever was silent so long ago may have spoken since: this process had been stopped. */
const STALE_MS = SILENT_MS / 10;

export function createHearing({ open, prefix, lostHost, clock }: HearingOptions): Hearing {
  let heard: ReadonlyMap<string, number> = new Map();
  let silent: ReadonlySet<string> = new Set();
  let listenedAt = Number.NEGATIVE_INFINITY;
  return {
    listen: async (signal) => {
      const asked = clock.now();
      const { at, now } = await heardOf(await open(), prefix, signal);
      heard = at;
      silent = new Set([...at].filter(([, when]) => now - when > SILENT_MS).map(([key]) => key));
      listenedAt = asked;
    },
    heardAt: ({ key }) => heard.get(key),
    isGone: (host, me) => {
      if (Math.abs(clock.now() - listenedAt) > STALE_MS) return false;
      // This very host, before its engine was made anew or while it looked after other kinds.
      if (host.host === me.host && host.machine === me.machine)
        return !heard.has(host.key) || silent.has(host.key);
      return lostHost === 'replace' && silent.has(host.key);
    },
  };
}
