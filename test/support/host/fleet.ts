import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { RuntimeError } from '../../../src/base/errors.ts';
import type { EnginePlace } from '../../../src/host/engine/engine.ts';
import type { BotsHere } from '../../../src/host/owners/botsHere.ts';
import type { FormerLife } from '../../../src/host/owners/formerLife.ts';
import type { Life } from '../../../src/host/owners/heartbeat.ts';
import { openOwners } from '../../../src/host/owners/openOwners.ts';
import { openFileStore } from '../../../src/store/file/file.ts';
import type { ObjectStore } from '../../../src/store/objectStore.ts';
import { fakeClock } from '../fakeClock.ts';

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
export const away: () => Promise<ObjectStore> = () =>
  Promise.reject(new RuntimeError('unavailable', 'it is away'));
export const placeOf = (name: string): EnginePlace => ({ engine: `e-${name}`, machine: `m-${name}`, name });

/** A store in a folder, a folder for what hosts keep, and a clock. */
export function fleet() {
  const folder = mkdtempSync(join(tmpdir(), 'owners-'));
  const clock = fakeClock(Date.now());
  const stop = new AbortController();
  const running: Promise<void>[] = [];
  const warned: string[] = [];
  onTestFinished(async () => {
    stop.abort();
    await Promise.all(running);
    rmSync(folder, { recursive: true, force: true });
  });
  const store = openFileStore(join(folder, 'store'), 'code', { createBucket: true, clock: systemClock });
  const usual = async () => store;

  function member(
    host: string,
    bots: readonly string[],
    more: {
      place?: EnginePlace | (() => Promise<EnginePlace>);
      open?: () => Promise<ObjectStore>;
      lostHost?: 'wait' | 'replace';
      life?: Life;
      former?: FormerLife;
    } = {},
  ) {
    const wishes = new Map<string, 'take' | 'leave' | 'keep'>(bots.map((bot) => [bot, 'take']));
    const told: string[] = [];
    const woken: string[] = [];
    const own = new AbortController();
    onTestFinished(() => own.abort());
    let reaches = more.open ?? usual;
    const owners = openOwners({
      host,
      types: ['realtime'],
      place: async () => {
        const place = more.place ?? placeOf(host);
        return typeof place === 'function' ? await place() : place;
      },
      open: () => reaches(),
      prefix: 'hosts/',
      file: join(folder, `${host}-owners`),
      former: more.former ?? { recall: () => undefined, remember: () => undefined },
      lostHost: more.lostHost ?? 'wait',
      life: more.life ?? { life: `${host}-1`, startedAt: 1 },
      clock,
      log: { ...quiet, warn: (message) => void warned.push(message) },
    });
    const here: BotsHere = {
      all: () => wishes.keys(),
      wish: (bot) => wishes.get(bot) ?? 'leave',
      wake: (bot) => void woken.push(bot),
      refused: (by, refused) => void told.push(`refused by ${by.host}: ${refused.join(' ')}`),
      takenOver: (bot, from) => void told.push(`${bot} from ${from.host}`),
      doubled: (other, message) =>
        void told.push(`${message === undefined ? 'original' : 'copy'} of ${other.life}`),
    };
    return {
      told,
      woken,
      of: (bot: string) => owners.of(bot),
      type: (bot: string) => owners.of(bot).type,
      problem: () => owners.problem,
      types: () => [...wishes.keys()].map((bot) => owners.of(bot).type),
      wish: (bot: string, wish: 'take' | 'leave' | 'keep') => {
        wishes.set(bot, wish);
        owners.changed(bot);
      },
      reach: (open: () => Promise<ObjectStore>) => {
        reaches = open;
      },
      start: () => {
        const run = owners.run(here, AbortSignal.any([stop.signal, own.signal]));
        running.push(run);
      },
      /** Killed: it says nothing of its end. */
      kill: async () => own.abort(),
      end: async () => {
        own.abort();
        await owners.end(AbortSignal.timeout(30_000));
      },
    };
  }

  /** Lets hosts go on until it holds, time included. */
  async function until(check: () => void): Promise<void> {
    for (let left = 600; ; left -= 1) {
      await clock.advance(5_000);
      await pause(10);
      try {
        return check();
      } catch (error) {
        if (left === 0) throw error;
      }
    }
  }
  return { folder, store, usual, clock, warned, member, until };
}

/**
 * Lets two writers of the table read it before either of them writes, and hears neither before both have. `conditions: false`: a store
 * that does not know them.
 */
export function meeting(store: ObjectStore, conditions: boolean) {
  const read = gate();
  const written = gate();
  return async (): Promise<ObjectStore> => ({
    ...store,
    put: async (key, body, options) => {
      if (!key.endsWith('owners.json')) return store.put(key, body, options);
      await read.pass();
      const done = store.put(key, body, conditions ? options : { signal: options?.signal });
      await done.catch(() => undefined);
      await written.pass();
      return await done;
    },
  });
}

/** Opens for good once two are before it. */
function gate() {
  let arrived = 0;
  let open: () => void = () => undefined;
  const both = new Promise<void>((resolve) => {
    open = resolve;
  });
  return {
    pass: async () => {
      arrived += 1;
      if (arrived === 2) open();
      await both;
    },
  };
}
