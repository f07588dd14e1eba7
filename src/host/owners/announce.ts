import type { BotsHere } from './botsHere.ts';
import { type OwnerHost, ownerOf, type Table } from './owners.ts';

/** Tells once of what another host has and this one would run, and of what it gets from it. */
export interface Announcer {
  tell(table: Table, isHere: (owner: OwnerHost) => boolean): void;
  /** There is something that another host has, or had until this one may. */
  readonly waits: boolean;
}

/** `heardAt`: when a host was last heard of. */
export function createAnnouncer(bots: BotsHere, heardAt: (host: OwnerHost) => number | undefined): Announcer {
  let elsewhere: ReadonlyMap<string, OwnerHost> = new Map();
  return {
    tell: (table, isHere) => {
      const now = new Map<string, OwnerHost>();
      const fresh: [OwnerHost, string][] = [];
      for (const bot of bots.all()) {
        const owner = ownerOf(table, bot);
        const from = elsewhere.get(bot);
        if (owner !== undefined && !isHere(owner)) {
          if (bots.wish(bot) === 'leave') continue;
          now.set(bot, owner);
          if (from === undefined) fresh.push([owner, bot]);
        } else if (from !== undefined) {
          if (owner === undefined) now.set(bot, from);
          else bots.takenOver(bot, from, heardAt(from));
        }
      }
      elsewhere = now;
      for (const [owner, pairs] of Map.groupBy(fresh, ([one]) => one))
        bots.refused(
          owner,
          pairs.map(([, bot]) => bot),
        );
    },
    get waits() {
      return elsewhere.size > 0;
    },
  };
}
