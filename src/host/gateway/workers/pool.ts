import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../../base/clock.ts';
import { asRuntimeError } from '../../../base/errors.ts';
import { growingWait } from '../../../base/growingWait.ts';
import type { Logger } from '../../../base/log.ts';
import type { Engine, InstanceSpec } from '../../engine/engine.ts';
import type { Instances } from '../../instances/instances.ts';
import type { Endings } from './endings.ts';
import { fits } from './fits.ts';
import { outputOf } from './outputOf.ts';
import { type WaitingWorker, waitingWorker } from './waitingWorker.ts';

export interface PoolOptions {
  readonly engine: Engine;
  readonly endings: Endings;
  readonly instances: Instances;
  readonly clock: Clock;
  readonly log: Logger;
  /** How many wait; 0: none. */
  readonly size: number;
  /** A folder of the pool's own on this machine. */
  readonly folder: string;
  /** While it is true none waits. */
  readonly draining: () => boolean;
}

/** How often it is looked whether all wait that should, milliseconds. */
const LOOK_MS = 1_000;
/** The query that has taken one has the machine to itself for so long, milliseconds. */
const REFILL_AFTER_MS = 1_000;
const START_MS = 60_000;
/** Those that have waited for so long will go on waiting, milliseconds. */
const STEADY_MS = 10_000;
const FAILED = { firstMs: 1_000, longestMs: 60_000 };

/** Workers that wait for the first query of a bot that does not run. */
export class Pool {
  readonly #options: PoolOptions;
  readonly #waiting = new Set<WaitingWorker>();
  #takenAt = 0;
  #addedAt = 0;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#waiting.size;
  }

  /** One that waits no longer: it is the caller's. Undefined: none that fits. */
  take(wanted: InstanceSpec): WaitingWorker | undefined {
    // The image is another one since they were made: they would wait for ever.
    void this.#drop(({ spec }) => spec.image !== wanted.image);
    for (const worker of this.#waiting) {
      if (!fits(worker.spec, wanted)) continue;
      this.#waiting.delete(worker);
      this.#takenAt = this.#options.clock.now();
      return worker;
    }
    return undefined;
  }

  /** Keeps as many waiting as there should be, until aborted; then none. */
  async run(signal: AbortSignal): Promise<void> {
    const { engine, clock, log, size, folder, draining } = this.#options;
    rmSync(folder, { recursive: true, force: true });
    if (size === 0 || engine.standby === undefined) return;
    mkdirSync(folder, { mode: 0o711 });
    let failures = 0;
    while (!signal.aborted) {
      try {
        await this.#drop(() => draining());
        await this.#buryDead(signal);
        const now = clock.now();
        const isQuiet = now - this.#takenAt >= REFILL_AFTER_MS;
        const isFull = this.#waiting.size >= size;
        if (isFull && now - this.#addedAt > STEADY_MS) failures = 0;
        if (!draining() && isQuiet && !isFull) await this.#add(signal);
      } catch (error) {
        if (signal.aborted) break;
        failures += 1;
        if (failures === 1)
          log.warn(`no query worker waits: ${asRuntimeError(error).message}; first queries take longer`);
      }
      const pauseMs = failures === 0 ? LOOK_MS : growingWait(FAILED, failures);
      await clock.sleep(pauseMs, signal).catch(() => undefined);
    }
    await this.#drop(() => true);
  }

  async #add(signal: AbortSignal): Promise<void> {
    const { engine, endings, instances, clock, folder } = this.#options;
    if (engine.standby === undefined) return;
    const id = randomBytes(6).toString('hex');
    const own = join(folder, id);
    const limit = AbortSignal.any([signal, AbortSignal.timeout(START_MS)]);
    const spec = await instances.waiting(id, own, limit);
    const worker = await waitingWorker(
      { engine, standby: engine.standby, endings, spec, folder: own },
      limit,
    );
    this.#waiting.add(worker);
    this.#addedAt = clock.now();
  }

  /** One that ends while it waits says why, and others are not made as fast as they end. */
  async #buryDead(signal: AbortSignal): Promise<void> {
    const [dead] = [...this.#waiting].filter(({ gone }) => gone.aborted);
    if (dead === undefined) return;
    const output = await outputOf(this.#options.engine, dead.spec.name, signal);
    await this.#drop(({ gone }) => gone.aborted);
    throw new Error(`${dead.spec.name} has ended (${output})`);
  }

  async #drop(which: (worker: WaitingWorker) => boolean): Promise<void> {
    for (const worker of [...this.#waiting].filter(which)) {
      this.#waiting.delete(worker);
      await worker.end();
    }
  }
}
