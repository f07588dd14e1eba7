import type { Parser } from './parser.ts';

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Node's timers hold no more milliseconds than this: about 24 days. */
const longest = 2 ** 31 - 1;

/** `500ms`, `2s`, `5m`, `1h` in milliseconds; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const [, digits = '', unit = ''] = /^(\d{1,15})(ms|s|m|h)$/.exec(text) ?? [];
  const milliseconds = Number(digits) * (units[unit] ?? Number.NaN);
  return milliseconds <= longest ? milliseconds : undefined;
}

/** Longer than nothing. */
export const duration: Parser<number> = {
  expects: 'a duration such as 500ms, 2s, 5m or 1h',
  parse: (text) => parseDuration(text) || undefined,
};

/** `0` needs no unit. */
export const durationOrZero: Parser<number> = {
  expects: '0, or a duration such as 500ms, 2s, 5m or 1h',
  parse: (text) => (text === '0' ? 0 : parseDuration(text)),
};
