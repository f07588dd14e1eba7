/**
 * The room of the containers that answer for bots that do not run. The life of one, in order:
 *
 *   1. `waitingInstance`, `waitingWorker`   made ahead of any query, of no bot: container, network and agent are there
 *   2. `pool`                               as many wait as should; each is taken once, and replaced
 *   3. `fits`                               a bot takes one that can become its own, else there is a container of its own (`startWorker`)
 *   4. `furnish`, then `assign`             its limits, code and secrets; its variables and the key to its objects, as one line
 *   5. `untilReady`                         the agent inside pulls the state and starts the query program
 *   6. `workers`                            kept 60 s for the next query of the same bot and state
 *   7. `end`                                killed and removed: it never serves another bot
 *
 * One that the host leaves behind by dying ends with it, since it loses its standard input, and the next host removes it.
 */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../../../base/clock.ts';
import { asRuntimeError } from '../../../base/errors.ts';
import type { Logger } from '../../../base/log.ts';
import { orAborted } from '../../../base/orAborted.ts';
import { QueryError } from '../../../bot/answers/queryError.ts';
import type { BotSpec } from '../../bots/botSpec.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Instances } from '../../instances/instances.ts';
import type { Endings } from './endings.ts';
import type { Place } from './place.ts';
import type { Pool } from './pool.ts';
import { startWorker, type Worker } from './startWorker.ts';

export interface WorkersOptions {
  readonly engine: Engine;
  readonly instances: Instances;
  /** Tag of the bot's head in the store: another one, another state. Undefined: nothing is saved yet. */
  readonly stateVersion: (bot: string, signal: AbortSignal) => Promise<string | undefined>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly pool: Pool;
  readonly endings: Endings;
  /** As in `UntilReady`. */
  readonly queryPort?: number;
  /** How many may be there at once. */
  readonly most: number;
  /** While it is true nothing is started. */
  readonly draining: () => boolean;
}

/** A worker that nobody asks goes after this, milliseconds. */
const KEPT_MS = 60_000;
/** How often those that nobody asks are looked for, milliseconds. */
const SWEEP_MS = 5_000;
const CLEAR_MS = 60_000;

interface Kept {
  /** Specification and state that it answers from. */
  readonly version: string;
  readonly worker: Promise<Worker>;
  users: number;
  usedAt: number;
}

/**
 * Containers that answer for bots that do not run: one a bot, made by its first query, kept for the next one of the same bot and
 * state. It takes no generation, and what it writes goes with it.
 */
export class Workers {
  readonly #options: WorkersOptions;
  readonly #kept = new Map<string, Kept>();
  readonly #leaving = new Set<Promise<void>>();
  #cleared: Promise<void> | undefined;

  constructor(options: WorkersOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#kept.size;
  }

  /** Throws `QueryError` 502, 503 or 504. */
  async place(spec: BotSpec, signal: AbortSignal): Promise<Place> {
    const { clock, instances, most, draining } = this.#options;
    if (draining())
      throw new QueryError(503, 'unavailable', 'the host is being drained, and starts nothing', {
        'retry-after': '60',
      });
    await orAborted(this.#clear(), signal);
    const [state] = await Promise.all([this.#stateOf(spec.name, signal), this.#prepare(spec, signal)]);
    const version = `${instances.hash(spec) ?? JSON.stringify(spec)} ${state ?? ''}`;
    let kept = this.#kept.get(spec.name);
    if (kept?.version !== version) {
      if (kept) this.#retire(spec.name, kept);
      if (this.#kept.size >= most && !this.#makeRoom()) {
        throw new QueryError(503, 'busy', 'too many bots that do not run are asked at once', {
          'retry-after': '1',
        });
      }
      kept = { version, worker: this.#start(spec), users: 0, usedAt: clock.now() };
      this.#kept.set(spec.name, kept);
    }
    const used = kept;
    used.users += 1;
    const release = () => {
      used.users -= 1;
      used.usedAt = clock.now();
    };
    try {
      const { address } = await orAborted(used.worker, signal);
      return { kind: 'worker', address, release };
    } catch (error) {
      release();
      // One that could not start is not kept; one that somebody else waits for is.
      if (!signal.aborted && this.#kept.get(spec.name) === used) this.#retire(spec.name, used);
      throw error;
    }
  }

  /** The worker of this bot does not answer any more: the next query gets another one. */
  discard(bot: string): void {
    const kept = this.#kept.get(bot);
    if (kept) this.#retire(bot, kept);
  }

  /** Keeps workers waiting and removes those that nobody asks any more; until aborted, when all go. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#clear();
    await Promise.all([this.#options.pool.run(signal), this.#sweep(signal)]);
    await Promise.all(this.#leaving);
    await this.#options.endings.again();
  }

  async #sweep(signal: AbortSignal): Promise<void> {
    const { clock, endings, draining } = this.#options;
    while (!signal.aborted) {
      await clock.sleep(SWEEP_MS, signal).catch(() => undefined);
      await this.#clear();
      await endings.again();
      const before = clock.now() - KEPT_MS;
      for (const [bot, kept] of this.#kept) {
        const isIdle = kept.users === 0 && kept.usedAt < before;
        if (signal.aborted || draining() || isIdle) this.#retire(bot, kept);
      }
    }
  }

  /** Removes what an earlier host left, before anything is made here that looks the same. */
  #clear(): Promise<void> {
    const { engine, endings, log } = this.#options;
    const clear = async () => {
      try {
        const left = (await engine.list(AbortSignal.timeout(CLEAR_MS))).filter(
          ({ role }) => role === 'query',
        );
        await Promise.all(left.map(({ name }) => endings.end(name)));
      } catch (error) {
        this.#cleared = undefined;
        const { message } = asRuntimeError(error);
        log.warn(`query containers of an earlier host may be left: ${message}`);
      }
    };
    this.#cleared ??= clear();
    return this.#cleared;
  }

  /** The one that has been idle for the longest goes; false when all are in use. */
  #makeRoom(): boolean {
    const idle = [...this.#kept].filter(([, { users }]) => users === 0);
    const [oldest] = idle.sort(([, a], [, b]) => a.usedAt - b.usedAt);
    if (oldest) this.#retire(...oldest);
    return oldest !== undefined;
  }

  async #stateOf(bot: string, signal: AbortSignal): Promise<string | undefined> {
    return await this.#options.stateVersion(bot, signal).catch((error: unknown) => {
      signal.throwIfAborted();
      const { message } = asRuntimeError(error);
      throw new QueryError(503, 'unavailable', `the saved state of ${bot} cannot be asked for: ${message}`, {
        'retry-after': '5',
      });
    });
  }

  /** What a worker is made of has to be known before two can be told apart: the second query would get another one. */
  async #prepare(spec: BotSpec, signal: AbortSignal): Promise<void> {
    const { instances } = this.#options;
    if (instances.hash(spec) !== undefined) return;
    await instances.prepare(spec, signal).catch((error: unknown) => {
      signal.throwIfAborted();
      const { message } = asRuntimeError(error);
      throw new QueryError(
        502,
        'unavailable',
        `no query container of ${spec.name} can be created: ${message}`,
      );
    });
  }

  #start(spec: BotSpec): Promise<Worker> {
    const worker = startWorker({ ...this.#options, id: randomBytes(6).toString('hex') }, spec);
    // Whoever waits for it is told; with nobody waiting that is not a defect.
    worker.catch(() => undefined);
    return worker;
  }

  #retire(bot: string, kept: Kept): void {
    if (this.#kept.get(bot) === kept) this.#kept.delete(bot);
    const leaving = kept.worker.then(
      async (worker) => {
        while (kept.users > 0) await this.#options.clock.sleep(100);
        await worker.end();
      },
      () => undefined,
    );
    this.#leaving.add(leaving);
    void leaving.finally(() => this.#leaving.delete(leaving));
  }
}
