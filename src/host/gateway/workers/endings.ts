import { asRuntimeError } from '../../../base/errors.ts';
import type { Logger } from '../../../base/log.ts';
import type { Engine } from '../../engine/engine.ts';

interface Left {
  readonly name: string;
  readonly then: () => Promise<void>;
}

/** Kills and removes instances. Those that the engine, away for a while, does not let go of are tried again until it does. */
export class Endings {
  readonly #engine: Engine;
  readonly #log: Logger;
  readonly #left = new Set<Left>();

  constructor(engine: Engine, log: Logger) {
    this.#engine = engine;
    this.#log = log;
  }

  /** Never throws. `then` follows when the instance is gone. */
  async end(name: string, then: () => Promise<void> = async () => undefined): Promise<void> {
    await this.#try({ name, then });
  }

  /** Those that are left. */
  async again(): Promise<void> {
    await Promise.all([...this.#left].map((one) => this.#try(one)));
  }

  async #try(one: Left): Promise<void> {
    const { signal } = new AbortController();
    try {
      await this.#engine.kill(one.name, signal);
      await this.#engine.remove(one.name, signal);
      await one.then();
      this.#left.delete(one);
    } catch (error) {
      if (!this.#left.has(one))
        this.#log.warn(`a query container is left for now: ${asRuntimeError(error).message}`);
      this.#left.add(one);
    }
  }
}
