import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../../base/clock.ts';
import { asRuntimeError } from '../../../base/errors.ts';
import { growingWait } from '../../../base/growingWait.ts';
import type { Logger } from '../../../base/log.ts';
import type { Engine, InstanceSpec } from '../../engine/engine.ts';
import type { Instances } from '../../instances/instances.ts';
import { fits } from './fits.ts';
import { type WaitingWorker, waitingWorker } from './waitingWorker.ts';

export interface PoolOptions {
  readonly engine: Engine;
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
const FAILED = { firstMs: 1_000, longestMs: 60_000 };

/** Workers that wait for the first query of a bot that does not run. */
export class Pool {
  readonly #options: PoolOptions;
  readonly #waiting = new Set<WaitingWorker>();
  #takenAt = 0;

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
      let pauseMs = LOOK_MS;
      try {
        await this.#drop((worker) => worker.gone.aborted || draining());
        const isQuiet = clock.now() - this.#takenAt >= REFILL_AFTER_MS;
        if (!draining() && isQuiet && this.#waiting.size < size) {
          await this.#add(signal);
          pauseMs = 0;
        }
        failures = 0;
      } catch (error) {
        if (signal.aborted) break;
        failures += 1;
        pauseMs = growingWait(FAILED, failures);
        if (failures === 1)
          log.warn(`no query worker waits: ${asRuntimeError(error).message}; first queries take longer`);
      }
      await clock.sleep(pauseMs, signal).catch(() => undefined);
    }
    await this.#drop(() => true);
  }

  async #add(signal: AbortSignal): Promise<void> {
    const { engine, instances, folder } = this.#options;
    if (engine.standby === undefined) return;
    const id = randomBytes(6).toString('hex');
    const own = join(folder, id);
    const limit = AbortSignal.any([signal, AbortSignal.timeout(START_MS)]);
    const spec = await instances.waiting(id, own, limit);
    const worker = await waitingWorker({ engine, standby: engine.standby, spec, folder: own }, limit);
    this.#waiting.add(worker);
  }

  async #drop(which: (worker: WaitingWorker) => boolean): Promise<void> {
    for (const worker of [...this.#waiting].filter(which)) {
      this.#waiting.delete(worker);
      await worker.end().catch((error: unknown) =>
        this.#options.log.warn('a query container is left', {
          name: worker.spec.name,
          reason: asRuntimeError(error).message,
        }),
      );
    }
  }
}
