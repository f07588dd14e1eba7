import { RuntimeError } from '../../base/errors.ts';
import { parseDuration } from '../../bot/config/duration.ts';

const rfc3339 = /^\d{4}-\d{2}-\d{2}([Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2}))?$/;

/** Milliseconds since the epoch; of a duration: that long ago. Throws `usage`. */
export function parseSince(text: string, now: number): number {
  const ago = parseDuration(text);
  if (ago !== undefined) return now - ago;
  const time = rfc3339.test(text) ? Date.parse(text.toUpperCase()) : Number.NaN;
  if (!Number.isNaN(time)) return time;
  throw new RuntimeError('usage', `--since ${JSON.stringify(text)} is neither a time nor a duration`, {
    hint: 'use RFC 3339 (2026-11-21T15:04:05Z) or 500ms, 2s, 5m, 1h',
  });
}
