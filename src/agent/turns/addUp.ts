import type { Cost, ReportedUsage, Tokens } from '../links/agentLink.ts';
import { addTokens, NO_TOKENS } from '../links/tokens.ts';
import type { EventLog } from './eventLog.ts';
import type { TurnUsage } from './turn.ts';

/** What a model makes of text where nobody says it. */
const BYTES_PER_TOKEN = 4;

export interface AddedUp {
  readonly usage: TurnUsage;
  /** All that it has cost, tokens included. */
  readonly costs: readonly Cost[];
  /** Null unless the agent said some. */
  readonly usd: number | null;
}

/** What an agent reported of one turn, added up; where it said nothing of tokens, an estimate of what went in and out. */
export function addUp(reports: readonly ReportedUsage[], messageBytes: number, log: EventLog): AddedUp {
  const counted = reports.flatMap(({ tokens }) => (tokens === undefined ? [] : [tokens]));
  const isReported = counted.length > 0;
  const tokens = isReported
    ? counted.map(whole).reduce(addTokens, NO_TOKENS)
    : whole({ input: estimate(messageBytes), output: estimate(Buffer.byteLength(log.reply)) });
  const last = (name: 'model' | 'provider') =>
    reports.findLast((report) => report[name] !== undefined)?.[name] ?? null;
  const usd = total(reports.map((report) => report.usd));
  const costs = mergeCosts([
    { type: 'llm.tokens', unit: 'token', quantity: tokens.total, usd },
    ...reports.flatMap((report) => report.costs ?? []),
  ]);
  const calls = new Set(log.items.flatMap((item) => (item[0] === 't' ? [item[1]] : []))).size;
  const isToldByAgent = costs.some(({ type }) => type === 'tool.calls');
  return {
    usage: {
      model: last('model'),
      provider: last('provider'),
      tokens,
      source: isReported ? 'reported' : 'estimated',
      usd,
    },
    costs:
      calls > 0 && !isToldByAgent
        ? [...costs, { type: 'tool.calls', unit: 'call', quantity: calls, usd: null }]
        : costs,
    usd: total(costs.map((cost) => cost.usd)),
  };
}

/** Of a turn that never reached the agent. */
export const NOTHING: AddedUp = {
  usage: { model: null, provider: null, tokens: NO_TOKENS, source: 'estimated', usd: null },
  costs: [],
  usd: null,
};

function estimate(bytes: number): number {
  return Math.ceil(bytes / BYTES_PER_TOKEN);
}

function whole(tokens: Partial<Tokens>): Tokens {
  const all = {
    ...NO_TOKENS,
    ...Object.fromEntries(Object.entries(tokens).map(([name, n]) => [name, count(n)])),
  };
  return { ...all, total: tokens.total === undefined ? all.input + all.output : all.total };
}

function mergeCosts(costs: readonly Cost[]): Cost[] {
  const merged = new Map<string, Cost>();
  for (const { type, unit, quantity, usd } of costs) {
    const before = merged.get(type);
    merged.set(type, {
      type,
      unit,
      quantity: count(quantity) + (before?.quantity ?? 0),
      usd: total([before?.usd, usd]),
    });
  }
  return [...merged.values()];
}

function total(amounts: readonly (number | null | undefined)[]): number | null {
  const said = amounts.filter((usd) => typeof usd === 'number').map(count);
  return said.length === 0 ? null : said.reduce((a, b) => a + b, 0);
}

/** The agent is not to be trusted: what is no amount is none. */
function count(value: number | undefined): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0;
}
