import type { Clock } from '../../base/clock.ts';
import { asRuntimeError, isRuntimeError, type RuntimeError } from '../../base/errors.ts';
import { hasPassed } from '../../base/hasPassed.ts';
import type { Logger } from '../../base/log.ts';
import type { ObjectStore } from '../../store/objectStore.ts';
import type { EnginePlace } from '../engine/engine.ts';
import { assign } from './assign.ts';
import { findPlace } from './findPlace.ts';
import { createHeartbeat, type Heartbeat, heardOf, isBefore, type Life } from './heartbeat.ts';
import { createLastTable } from './lastTable.ts';
import { isSamePlace, keyOf, type Owner, type OwnerHost, type Owners, SILENT_MS } from './owners.ts';
import { openOwnersTable, type ReadTable } from './ownersTable.ts';
import { createPause } from './pause.ts';
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
  readonly lostHost: 'wait' | 'replace';
  readonly life: Life;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The bots of this host, as far as their owners matter. */
export interface BotsHere {
  all(): Iterable<string>;
  /** `take`: it runs here, or would. `leave`: nothing of it is here. `keep`: as it is. */
  wish(bot: string): 'take' | 'leave' | 'keep';
  /** Whose it is has changed. */
  wake(bot: string): void;
  /** Bots that this host would run are another's from now on. */
  refused(by: OwnerHost, bots: readonly string[]): void;
  /** It is this host's, and was another's before, who was last heard of at `heardAt`. */
  takenOver(bot: string, from: OwnerHost, heardAt: number | undefined): void;
  /** Another life of this very host; `message` where this one is the copy. */
  doubled(other: Life, message: string | undefined): void;
}

export interface OpenedOwners extends Owners {
  /** Something of a bot has changed. */
  changed(bot: string): void;
  /** Until the signal. */
  run(here: BotsHere, signal: AbortSignal): Promise<void>;
  /** This host ends in order; what it has stays its own. */
  end(signal: AbortSignal): Promise<void>;
}

const CALL_MS = 5_000;
/** Changes of many bots are written at once. */
const GATHER_MS = 25;
const LOOK_MS = 30_000;
/** While others have what this host would run, and while the store does not answer. */
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
  let me: OwnerHost | undefined;
  let beats: Heartbeat | undefined;
  let last: ReadTable | undefined;
  let readAt = Number.NEGATIVE_INFINITY;
  let failure: RuntimeError | undefined;
  let heard: ReadonlyMap<string, number> = new Map();
  let silent: ReadonlySet<string> = new Set();
  let double: 'none' | 'copy' | 'original' = 'none';
  /** What this host would run and another one has, or had until this one may. */
  let elsewhere: ReadonlyMap<string, OwnerHost> = new Map();
  let here: BotsHere | undefined;
  /** Bots of which that was said: they are told what follows, whatever was known before. */
  const asking = new Set<string>();
  const pause = createPause(clock);

  function ownerOf(bot: string): OwnerHost | undefined {
    const key = last?.table.owners.get(bot);
    return key === undefined ? undefined : last?.table.hosts.get(key);
  }

  function of(bot: string): Owner {
    if (me === undefined || last === undefined) return notYet(bot);
    if (double === 'copy') return { type: 'elsewhere', message: copyOf(me), ends: false };
    const owner = ownerOf(bot);
    if (owner !== undefined && !isSamePlace(owner, me))
      return { type: 'elsewhere', message: whose(owner, me), ends: true };
    const isKnown = owner !== undefined && clock.now() - readAt < STALE_MS;
    return isKnown || failure !== undefined ? { type: 'ours' } : notYet(bot);
  }

  function notYet(bot: string): Owner {
    asking.add(bot);
    return { type: 'asking' };
  }

  function isGone(host: OwnerHost): boolean {
    // This very host, before its engine was made anew or while it looked after other kinds.
    if (host.host === me?.host && host.machine === me.machine)
      return !heard.has(host.key) || silent.has(host.key);
    return options.lostHost === 'replace' && silent.has(host.key);
  }

  async function look(signal: AbortSignal): Promise<void> {
    last = await shared.read(last, signal);
    if (![...last.table.hosts.keys()].some((key) => key !== me?.key)) return;
    const { at, now } = await heardOf(await open(), prefix, signal);
    heard = at;
    silent = new Set([...at].filter(([, when]) => now - when > SILENT_MS).map(([key]) => key));
  }

  /** Whether it is written: others may write at the same time. */
  async function write(bots: BotsHere, signal: AbortSignal): Promise<boolean> {
    const wishes = { take: [] as string[], leave: [] as string[], isGone };
    // One that this host has forgotten is among them by the table alone.
    const own = [...last!.table.owners].filter(([, key]) => key === me!.key).map(([bot]) => bot);
    for (const bot of new Set([...bots.all(), ...own])) {
      const wish = bots.wish(bot);
      if (wish !== 'keep') wishes[wish].push(bot);
    }
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const next = assign(last!.table, me!, wishes);
      if (next === undefined) return true;
      try {
        last = await shared.write(next, last!, signal);
        readAt = clock.now();
        return true;
      } catch (error) {
        if (!isRuntimeError(error, 'conflict')) throw error;
        // Whoever has written has to be heard of as well, before anything is taken from him.
        await look(signal);
      }
    }
    return false;
  }

  /** Looks at the table and at its hosts, and writes down what this one takes and leaves. After how long to look again. */
  async function settle(bots: BotsHere, looks: boolean, stop: AbortSignal): Promise<number> {
    const signal = AbortSignal.any([stop, AbortSignal.timeout(CALL_MS)]);
    const before = new Map([...bots.all()].map((bot) => [bot, of(bot).type]));
    let isWritten = true;
    pause.begin();
    try {
      if (looks || last?.tag === undefined) {
        const asked = clock.now();
        await look(signal);
        readAt = asked;
      }
      isWritten = await write(bots, signal);
      failure = undefined;
      disk.remember(last!);
    } catch (error) {
      if (stop.aborted) return 0;
      const known = asRuntimeError(error);
      if (failure?.message !== known.message)
        log.warn(`which other hosts have the same bots is not known: ${known.message}`, { hint: known.hint });
      failure = known;
      last ??= { table: disk.recall(), tag: undefined };
    }
    tell(bots);
    for (const bot of bots.all()) if (asking.delete(bot) || before.get(bot) !== of(bot).type) bots.wake(bot);
    if (!isWritten) return CONTENDED_MS;
    return elsewhere.size > 0 || failure !== undefined ? LOOK_SOON_MS : LOOK_MS;
  }

  function tell(bots: BotsHere): void {
    const now = new Map<string, OwnerHost>();
    const fresh: [OwnerHost, string][] = [];
    for (const bot of bots.all()) {
      const owner = ownerOf(bot);
      const from = elsewhere.get(bot);
      if (owner !== undefined && !isSamePlace(owner, me!)) {
        if (bots.wish(bot) === 'leave') continue;
        now.set(bot, owner);
        if (from === undefined) fresh.push([owner, bot]);
      } else if (from !== undefined) {
        if (owner === undefined) now.set(bot, from);
        else bots.takenOver(bot, from, heard.get(from.key));
      }
    }
    elsewhere = now;
    for (const [owner, pairs] of Map.groupBy(fresh, ([one]) => one))
      bots.refused(
        owner,
        pairs.map(([, bot]) => bot),
      );
  }

  async function beat(bots: BotsHere, stop: AbortSignal): Promise<void> {
    try {
      const other = await beats!.beat(AbortSignal.any([stop, AbortSignal.timeout(CALL_MS)]));
      const was = double;
      double = other === undefined ? 'none' : isBefore(other, life) ? 'copy' : 'original';
      if (double === was) return;
      if (other !== undefined) bots.doubled(other, double === 'copy' ? copyOf(me!) : undefined);
      for (const bot of bots.all()) bots.wake(bot);
    } catch (error) {
      if (!stop.aborted) log.debug(`other hosts do not hear of this one: ${asRuntimeError(error).message}`);
    }
  }

  async function arrive(signal: AbortSignal): Promise<void> {
    const place = await findPlace(options, signal);
    if (place === undefined) return;
    const key = keyOf(options.host, place, options.types);
    beats = createHeartbeat({ open, prefix, key, own: life });
    me = { ...place, host: options.host, key };
  }

  return {
    of,
    changed: (bot) => {
      // While the store does not answer it is asked again in its own time.
      if (here === undefined || me === undefined || last === undefined || failure !== undefined) return;
      const key = last.table.owners.get(bot);
      if (key !== undefined && key !== me.key) return;
      if (here.wish(bot) !== (key === undefined ? 'take' : 'leave')) return;
      pause.cutShort();
    },
    run: async (bots, signal) => {
      here = bots;
      await arrive(signal);
      let [beatenAt, lookedAt, lookMs] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
      while (!signal.aborted) {
        if (hasPassed(beatenAt, BEAT_MS, clock.now())) {
          beatenAt = clock.now();
          await beat(bots, signal);
        }
        const looks = hasPassed(lookedAt, lookMs, clock.now());
        if (looks) lookedAt = clock.now();
        lookMs = await settle(bots, looks, signal);
        await pause.rest(Math.min(lookedAt + lookMs, beatenAt + BEAT_MS) - clock.now(), signal);
        await clock.sleep(GATHER_MS, signal).catch(() => undefined);
      }
    },
    end: async (signal) => await beats?.end(signal),
  };
}
