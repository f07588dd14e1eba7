import { join } from 'node:path';
import type { Clock } from '../../../src/base/clock.ts';
import { RuntimeError } from '../../../src/base/errors.ts';
import type { EnginePlace } from '../../../src/host/engine/engine.ts';
import { openOwners } from '../../../src/host/owners/openOwners.ts';
import { releaseHost } from '../../../src/host/owners/releaseHost.ts';
import type { ObjectInfo, ObjectStore } from '../../../src/store/objectStore.ts';
import { memoryStore } from './memoryStore.ts';
import { virtualTime } from './virtualTime.ts';

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const TICK_MS = 3_000;

/** An engine: one name is one container, whichever host of it has made it. */
export interface ModelEngine {
  readonly place: EnginePlace;
  /** By bot: the host that has started it. */
  readonly running: Map<string, string>;
}

export interface ModelHost {
  readonly engine: ModelEngine;
  readonly lives: boolean;
  start(): void;
  /** At once; what it has started runs on. */
  kill(): void;
  /** In order; what it has started runs on. */
  end(): Promise<void>;
  /** Its process stands still. */
  suspend(): void;
  resume(): void;
  /** Its clock is that much ahead. */
  skew(ms: number): void;
  /** It and its bots cannot reach the store. */
  cut(isCut: boolean): void;
  want(bot: string, isWanted: boolean): void;
}

/** Hosts of one store, as far as their owners matter, in virtual time. `knows`: false starts bots without asking anybody. */
export function ownersModel(options: {
  readonly folder: string;
  readonly bots: readonly string[];
  readonly random: () => number;
  readonly knows: boolean;
}) {
  const { folder, bots, random, knows } = options;
  const time = virtualTime();
  const store = memoryStore(time.clock.now);
  const engines: ModelEngine[] = [];
  const running: Promise<void>[] = [];
  let lives = 0;
  let latencyMs = 0;
  let losesAnswers = 0;

  function engine(name: string): ModelEngine {
    const one = { place: { engine: `e-${name}`, machine: `m-${name}`, name }, running: new Map() };
    engines.push(one);
    return one;
  }

  function host(name: string, on: ModelEngine): ModelHost {
    let [isCut, skewMs, life] = [false, 0, undefined as AbortController | undefined];
    let thawed: Promise<void> | undefined;
    let thaw = () => {};
    let owners: ReturnType<typeof openOwners> | undefined;
    const wanted = new Set(bots);

    /** Everything that a host waits for comes through here: while it stands still nothing of it does. */
    async function awake<T>(what: Promise<T>): Promise<T> {
      try {
        return await what;
      } finally {
        while (thawed !== undefined) await thawed;
      }
    }
    const clock: Clock = {
      now: () => time.clock.now() + skewMs,
      elapsed: () => time.clock.elapsed(),
      sleep: (ms, signal) => awake(time.clock.sleep(ms, signal)),
    };
    const asked = <T>(call: () => Promise<T>): Promise<T> =>
      awake(
        (async () => {
          await time.clock.sleep(random() * latencyMs);
          if (isCut) throw new RuntimeError('unavailable', 'cut off');
          const answer = await call();
          await time.clock.sleep(random() * latencyMs);
          if (isCut || random() < losesAnswers) throw new RuntimeError('unavailable', 'the answer was lost');
          return answer;
        })(),
      );
    const reached: ObjectStore = {
      ...store,
      get: (key, more) => asked(() => store.get(key, more)),
      head: (key, more) => asked(() => store.head(key, more)),
      put: (key, body, more) => asked(() => store.put(key, body, more)),
      delete: (key, more) => asked(() => store.delete(key, more)),
      now: (more) => asked(() => store.now(more)),
      list: async function* (prefix, more) {
        yield* await asked(async () => {
          const found: ObjectInfo[] = [];
          for await (const one of store.list(prefix, more)) found.push(one);
          return found;
        });
      },
    };

    /** What the loop of a host does of it: ends what is another's, starts what is its own. */
    async function work(own: ReturnType<typeof openOwners>, signal: AbortSignal): Promise<void> {
      while (!signal.aborted) {
        for (const bot of bots) {
          const owner = knows ? own.of(bot) : ({ type: 'ours' } as const);
          const isMine = on.running.get(bot) === name;
          const mustEnd = !wanted.has(bot) || (owner.type === 'elsewhere' && owner.ends);
          if (isMine && mustEnd) {
            await clock.sleep(500 + random() * 4_000, signal).catch(() => undefined);
            if (signal.aborted) return;
            on.running.delete(bot);
            own.changed(bot);
          } else if (!on.running.has(bot) && wanted.has(bot) && owner.type === 'ours' && !isCut) {
            on.running.set(bot, name);
            own.changed(bot);
          }
        }
        await clock.sleep(TICK_MS, signal).catch(() => undefined);
      }
    }

    const self: ModelHost = {
      engine: on,
      get lives() {
        return life !== undefined;
      },
      start: () => {
        if (life !== undefined) return;
        lives += 1;
        const stop = new AbortController();
        life = stop;
        const own = openOwners({
          host: name,
          types: ['realtime'],
          place: async () => on.place,
          open: async () => reached,
          prefix: 'hosts/',
          file: join(folder, `${name}-owners`),
          former: { recall: () => undefined, remember: () => undefined },
          lostHost: 'wait',
          life: { life: `${name}-${lives}`, startedAt: clock.now() },
          clock,
          log: quiet,
        });
        owners = own;
        const here = {
          all: () => bots,
          wish: (bot: string) =>
            (on.running.get(bot) === name || wanted.has(bot) ? 'take' : 'leave') as 'take' | 'leave',
          ...{ wake: () => {}, refused: () => {}, takenOver: () => {}, doubled: () => {} },
        };
        running.push(own.run(here, stop.signal), work(own, stop.signal));
      },
      kill: () => {
        self.resume();
        life?.abort();
        life = undefined;
      },
      end: async () => {
        const own = owners;
        self.kill();
        await own?.end(AbortSignal.timeout(600_000)).catch(() => undefined);
      },
      suspend: () => {
        thawed ??= new Promise((resolve) => {
          thaw = resolve;
        });
      },
      resume: () => {
        thawed = undefined;
        thaw();
      },
      skew: (ms) => {
        skewMs = ms;
      },
      cut: (cut) => {
        isCut = cut;
      },
      want: (bot, isWanted) => {
        if (isWanted) wanted.add(bot);
        else wanted.delete(bot);
        owners?.changed(bot);
      },
    };
    return self;
  }

  return {
    engine,
    host,
    pass: time.pass,
    /** How long an answer takes at most in each direction, and which share of them is lost after what was asked has been done. */
    weather: (latency: number, lost: number) => {
      latencyMs = latency;
      losesAnswers = lost;
    },
    /** On which engines each bot runs. */
    where: (bot: string) => engines.filter((one) => one.running.has(bot)).map(({ place }) => place.name),
    /** `runtime host remove --id`; false: it is still heard of. */
    remove: async (name: string, on: ModelEngine): Promise<boolean> =>
      (await releaseHost({
        ...{ open: async () => store, prefix: 'hosts/', host: name, here: on.place, hasEnded: false },
        signal: AbortSignal.timeout(600_000),
      })) !== undefined,
    stop: async (hosts: readonly ModelHost[]) => {
      for (const one of hosts) one.kill();
      for (let left = 100; left > 0; left -= 1) await time.pass(60_000, () => undefined);
      await Promise.all(running);
    },
  };
}
