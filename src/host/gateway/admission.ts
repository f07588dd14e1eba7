import { QueryError } from '../../bot/answers/queryError.ts';

export interface AdmissionLimits {
  readonly perBot: number;
  readonly inAll: number;
}

/** How many queries are under way, of each bot and in all. */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #ofBot = new Map<string, number>();
  #inAll = 0;

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  get inFlight(): number {
    return this.#inAll;
  }

  /** Throws `QueryError` 503 with `Retry-After` when there are too many. The result ends the query; it may be called twice. */
  enter(bot: string): () => void {
    const own = this.#ofBot.get(bot) ?? 0;
    if (own >= this.#limits.perBot) throw busy(`too many queries of ${bot} at once`);
    if (this.#inAll >= this.#limits.inAll) throw busy('too many queries at once');
    this.#ofBot.set(bot, own + 1);
    this.#inAll += 1;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#inAll -= 1;
      const rest = (this.#ofBot.get(bot) ?? 1) - 1;
      if (rest === 0) this.#ofBot.delete(bot);
      else this.#ofBot.set(bot, rest);
    };
  }
}

const busy = (message: string) => new QueryError(503, 'busy', message, { 'retry-after': '1' });
