import type { Clock } from '../../base/clock.ts';
import { asRuntimeError, isRuntimeError } from '../../base/errors.ts';
import { hasPassed } from '../../base/hasPassed.ts';
import type { Logger } from '../../base/log.ts';
import type { ObjectStore } from '../../store/objectStore.ts';
import type { EnginePlace } from '../engine/engine.ts';
import { type Announcer, createAnnouncer } from './announce.ts';
import { assign } from './assign.ts';
import type { BotsHere } from './botsHere.ts';
import { findPlace } from './findPlace.ts';
import type { FormerLife } from './formerLife.ts';
import { createHearing } from './hearing.ts';
import { createHeartbeat, type Heartbeat, isBefore, type Life } from './heartbeat.ts';
import { createHeir } from './heir.ts';
import { createLastTable } from './lastTable.ts';
import { createOutage, UNKNOWN } from './outage.ts';
import {
  isSamePlace,
  keyOf,
  type Owner,
  type OwnerHost,
  type Owners,
  ownerOf,
  SILENT_MS,
  type Table,
} from './owners.ts';
import { openOwnersTable, type ReadTable } from './ownersTable.ts';
import { createPause } from './pause.ts';
import { whatFailed } from './whatFailed.ts';
import { copyOf, whose } from './whose.ts';

export interface OwnersOptions {
  /** Value of the label `runtime.host`. */
  readonly host: string;
  /** Which kinds of bots it looks after: hosts of one id that have others between them are two. */
  readonly types: Iterable<string>;
  /** Rejects while the engine does not answer. */
  readonly place: (signal: AbortSignal) => Promise<EnginePlace>;
  readonly open: () => Promise<ObjectStore>;
  readonly prefix: string;
  /** Of `LastTable`. */
  readonly file: string;
  readonly former: FormerLife;
  readonly lostHost: 'wait' | 'replace';
  readonly life: Life;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface OpenedOwners extends Owners {
  /** Something of a bot has changed. */
  changed(bot: string): void;
  /** Until the signal. */
  run(here: BotsHere, signal: AbortSignal): Promise<void>;
  /** This host ends in order; what it has stays its own. */
  end(signal: AbortSignal): Promise<void>;
}

/** For one or two requests. */
const CALL_MS = 10_000;
/** Changes of many bots are written at once. */
const GATHER_MS = 25;
const LOOK_MS = 30_000;
/** While others have what this host would run. */
const LOOK_SOON_MS = 10_000;
const BEAT_MS = 60_000;
/** While others write at the same time. */
const CONTENDED_MS = 500;
/** What was read so long ago may have been taken since: the process had been stopped. */
const STALE_MS = SILENT_MS / 2;
const ATTEMPTS = 8;

export function openOwners(options: OwnersOptions): OpenedOwners {
  const { clock, log, open, prefix, life } = options;
  const shared = openOwnersTable(open, prefix);
  const disk = createLastTable(options.file, log);
  const hearing = createHearing(options);
  const outage = createOutage(clock);
  const heir = createHeir(options.former, open, prefix);
  let me: OwnerHost | undefined;
  let beats: Heartbeat | undefined;
  /** No other host finds it silent that has not begun. */
  let hasBeaten = false;
  let last: ReadTable | undefined;
  let readAt = Number.NEGATIVE_INFINITY;
  let double: 'none' | 'copy' | 'original' = 'none';
  let here: BotsHere | undefined;
  /** Being given up: whether that has happened is not known before the store has answered. */
  let leaving: ReadonlySet<string> = new Set();
  /** Bots of which that was said: they are told what follows, whatever was known before. */
  const asking = new Set<string>();
  const pause = createPause(clock);

  function of(bot: string): Owner {
    if (me === undefined || last === undefined) return notYet(bot);
    if (double === 'copy') return { type: 'elsewhere', message: copyOf(me), ends: false };
    const owner = ownerOf(last.table, bot);
    if (owner !== undefined && !isHere(owner))
      return { type: 'elsewhere', message: whose(owner, me), ends: true };
    const isKnown = isOwn(last.table, bot) && !leaving.has(bot) && clock.now() - readAt < STALE_MS;
    return isKnown || outage.isStanding ? { type: 'ours' } : notYet(bot);
  }

  function notYet(bot: string): Owner {
    asking.add(bot);
    return { type: 'asking', why: outage.told };
  }

  const isHere = (owner: OwnerHost) => isSamePlace(owner, me!) || owner.key === heir.key;
  const isOwn = ({ owners }: Table, bot: string) => owners.get(bot)?.includes(me!.key) ?? false;

  const limit = (stop: AbortSignal) => AbortSignal.any([stop, AbortSignal.timeout(CALL_MS)]);

  async function look(stop: AbortSignal): Promise<void> {
    last = await shared.read(last, limit(stop));
    await heir.check(limit(stop));
    if ([...last.table.hosts.keys()].some((key) => key !== me?.key)) await hearing.listen(limit(stop));
  }

  /** Whether it is written: others may write at the same time. */
  async function write(bots: BotsHere, stop: AbortSignal): Promise<boolean> {
    const wishes = {
      take: [] as string[],
      leave: [] as string[],
      former: heir.key,
      isGone: (host: OwnerHost) => hearing.isGone(host, me!),
    };
    // One that this host has forgotten is among them by the table alone.
    const own = [...last!.table.owners].flatMap(([bot, keys]) =>
      keys.some((key) => key === me!.key || key === heir.key) ? [bot] : [],
    );
    for (const bot of new Set([...bots.all(), ...own])) {
      const wish = bots.wish(bot);
      if (wish !== 'keep') wishes[wish].push(bot);
    }
    leaving = new Set(wishes.leave);
    for (let attempt = 0, refusals = 0; attempt < ATTEMPTS; attempt += 1) {
      const next = assign(last!.table, me!, wishes);
      if (next === undefined) return true;
      const { tag } = last!;
      const asked = clock.now();
      try {
        last = await shared.write(next, last!, limit(stop));
        readAt = asked;
        return true;
      } catch (error) {
        if (!isRuntimeError(error, 'conflict')) throw error;
        // Whoever has written has to be heard of as well, before anything is taken from him.
        await look(stop);
        if (last!.tag === tag) refusals += 1;
        if (refusals === ATTEMPTS) throw error;
      }
    }
    return false;
  }

  /** Looks at the table and at its hosts, and writes down what this one takes and leaves. After how long to look again. */
  async function settle(
    bots: BotsHere,
    announcer: Announcer,
    looks: boolean,
    stop: AbortSignal,
  ): Promise<number> {
    const before = new Map([...bots.all()].map((bot) => [bot, of(bot).type]));
    let isWritten = true;
    pause.begin();
    try {
      if (!hasBeaten) await beat(bots, stop);
      if (looks || last?.tag === undefined) {
        const asked = clock.now();
        await look(stop);
        readAt = asked;
      }
      isWritten = await write(bots, stop);
      if (isWritten) await heir.done(limit(stop));
      outage.over();
      leaving = new Set();
      disk.remember(last!);
    } catch (error) {
      if (stop.aborted) return 0;
      const known = whatFailed(error);
      if (outage.error?.message !== known.message)
        log.warn(`${UNKNOWN}: ${known.message}`, { hint: known.hint });
      outage.failed(known);
      last ??= { table: disk.recall(), tag: undefined };
    }
    announcer.tell(last!.table, isHere);
    for (const bot of bots.all()) if (asking.delete(bot) || before.get(bot) !== of(bot).type) bots.wake(bot);
    if (outage.error !== undefined) return outage.againMs;
    if (!isWritten) return CONTENDED_MS;
    return announcer.waits ? LOOK_SOON_MS : LOOK_MS;
  }

  /** Throws what the store does. */
  async function beat(bots: BotsHere, stop: AbortSignal): Promise<void> {
    const other = await beats!.beat(limit(stop));
    hasBeaten = true;
    const was = double;
    double = other === undefined ? 'none' : isBefore(other, life) ? 'copy' : 'original';
    if (double === was) return;
    if (other !== undefined) bots.doubled(other, double === 'copy' ? copyOf(me!) : undefined);
    for (const bot of bots.all()) bots.wake(bot);
  }

  async function arrive(signal: AbortSignal): Promise<void> {
    const place = await findPlace(options, signal);
    if (place === undefined) return;
    const key = keyOf(options.host, place, options.types);
    beats = createHeartbeat({ open, prefix, key, own: life });
    me = { ...place, host: options.host, key };
    heir.arrive({ key, life: life.life });
  }

  return {
    of,
    get problem() {
      return outage.told;
    },
    changed: (bot) => {
      // While the store does not answer it is asked again in its own time.
      if (here === undefined || me === undefined || last === undefined || outage.error !== undefined) return;
      const owner = ownerOf(last.table, bot);
      if (owner !== undefined && !isHere(owner)) return;
      if (here.wish(bot) === (isOwn(last.table, bot) ? 'leave' : 'take')) pause.cutShort();
    },
    run: async (bots, signal) => {
      here = bots;
      await arrive(signal);
      const announcer = createAnnouncer(bots, hearing.heardAt);
      let [beatenAt, lookedAt, lookMs] = [clock.now(), Number.NEGATIVE_INFINITY, 0];
      while (!signal.aborted) {
        if (hasBeaten && hasPassed(beatenAt, BEAT_MS, clock.now())) {
          beatenAt = clock.now();
          await beat(bots, signal).catch((error: unknown) => {
            if (!signal.aborted)
              log.debug(`other hosts do not hear of this one: ${asRuntimeError(error).message}`);
          });
        }
        const looks = hasPassed(lookedAt, lookMs, clock.now());
        if (looks) lookedAt = clock.now();
        lookMs = await settle(bots, announcer, looks, signal);
        // The clock may have been set back since these moments.
        const restMs = Math.min(lookedAt + lookMs, beatenAt + BEAT_MS) - clock.now();
        await pause.rest(Math.min(restMs, LOOK_MS), signal);
        await clock.sleep(GATHER_MS, signal).catch(() => undefined);
      }
    },
    end: async (signal) => await beats?.end(signal),
  };
}
