import type { Clock } from '../../../base/clock.ts';
import { QueryError } from '../../../bot/answers/queryError.ts';
import type { ProgramAnswer } from '../http/answerReader.ts';
import { HangWatch } from './hangWatch.ts';
import type { ProgramClient } from './programClient.ts';

export interface WatchedClientOptions {
  readonly client: ProgramClient;
  readonly clock: Clock;
  /** May be called more than once. */
  readonly onHung: () => void;
}

/** Asks a listening program, and notices when it hangs. */
export class WatchedClient {
  readonly #options: WatchedClientOptions;
  readonly #watch = new HangWatch();

  constructor(options: WatchedClientOptions) {
    this.#options = options;
  }

  /** As `ProgramClient.ask`. */
  async ask(target: string, signal: AbortSignal): Promise<ProgramAnswer> {
    const { client, clock, onHung } = this.#options;
    const askedAt = clock.elapsed();
    try {
      const answer = await client.ask(target, signal);
      this.#watch.answered(clock.elapsed());
      return answer;
    } catch (error) {
      // Nonsense and a closed connection are signs of life, too; a client that has gone says nothing.
      if (!signal.aborted) this.#watch.answered(clock.elapsed());
      else if (isTimeout(error) && this.#watch.timedOut(askedAt, clock.elapsed())) onHung();
      throw error;
    }
  }

  close(): void {
    this.#options.client.close();
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof QueryError && error.outcome === 'timeout';
}
