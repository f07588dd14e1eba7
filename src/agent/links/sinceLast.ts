import type { Tokens } from './agentLink.ts';

/** Of figures that add up since a process began: what is new since the last ones. Smaller ones than the last begin anew. */
export function sinceLast(now: Tokens, last: Tokens | undefined): Tokens {
  const began =
    last === undefined || now.total < last.total || now.input < last.input || now.output < last.output;
  if (began) return now;
  const less = (name: keyof Tokens) => Math.max(0, now[name] - last[name]);
  return {
    input: less('input'),
    output: less('output'),
    cacheRead: less('cacheRead'),
    cacheWrite: less('cacheWrite'),
    reasoning: less('reasoning'),
    total: less('total'),
  };
}
