import type { Cost } from '../links/agentLink.ts';
import { addTokens, NO_TOKENS } from '../links/tokens.ts';
import type { LedgerLine, Totals } from './ledger.ts';

type ByModel = Totals['byModel'][number];

/** Sums of turns, one line after the other. */
export class Sums {
  readonly #turns = { completed: 0, failed: 0, cancelled: 0 };
  readonly #costs = new Map<string, Cost>();
  readonly #models = new Map<string, ByModel>();
  #tokens = NO_TOKENS;
  #first: string | null = null;
  #isEstimated = false;

  add(line: LedgerLine): void {
    this.#turns[line.status] += 1;
    this.#tokens = addTokens(this.#tokens, line.tokens);
    if (this.#first === null || line.at < this.#first) this.#first = line.at;
    // What cost nothing was not estimated either.
    this.#isEstimated ||= line.source === 'estimated' && line.tokens.total > 0;
    for (const cost of line.costs) this.#addCost(cost);
    const { model, provider } = line;
    const key = JSON.stringify([model, provider]);
    const before = this.#models.get(key) ?? { model, provider, turns: 0, tokens: NO_TOKENS };
    this.#models.set(key, {
      ...before,
      turns: before.turns + 1,
      tokens: addTokens(before.tokens, line.tokens),
    });
  }

  /** `from`: what was asked for; null: since the first turn. */
  totals(from: string | null, until: string): Totals {
    return {
      from: from ?? this.#first,
      until,
      turns: { ...this.#turns },
      tokens: this.#tokens,
      costs: [...this.#costs.values()],
      byModel: [...this.#models.values()],
      source: this.#isEstimated ? 'estimated' : 'reported',
    };
  }

  #addCost({ type, unit, quantity, usd }: Cost): void {
    const key = JSON.stringify([type, unit]);
    const before = this.#costs.get(key);
    const paid = usd === null && (before?.usd ?? null) === null ? null : (usd ?? 0) + (before?.usd ?? 0);
    this.#costs.set(key, { type, unit, quantity: quantity + (before?.quantity ?? 0), usd: paid });
  }
}
