import type { Tokens } from './agentLink.ts';

/** More than anybody has ever used in a turn, or in a session: a figure beyond is a mistake, or meant to be one. */
const MAX_TOKENS = 1e12;

/** What an agent says it has used, under the names of its protocol; undefined for each that is no count of tokens. */
export interface SaidTokens {
  readonly input: unknown;
  readonly output: unknown;
  readonly cacheRead?: unknown;
  readonly cacheWrite?: unknown;
  readonly reasoning?: unknown;
  readonly total?: unknown;
}

/** Undefined where input and output are not both there: it is then as if nothing had been said. */
export function reportedTokens(said: SaidTokens): Tokens | undefined {
  const input = count(said.input);
  const output = count(said.output);
  if (input === undefined || output === undefined) return undefined;
  const total = count(said.total) ?? 0;
  return {
    input,
    output,
    cacheRead: count(said.cacheRead) ?? 0,
    cacheWrite: count(said.cacheWrite) ?? 0,
    reasoning: count(said.reasoning) ?? 0,
    total: Math.max(total, input + output),
  };
}

function count(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 0 && value <= MAX_TOKENS ? Math.floor(value) : undefined;
}
