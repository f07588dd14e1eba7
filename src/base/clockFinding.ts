import { type Finding, ok, warn } from './finding.ts';

/** Signatures are good for 15 minutes; below this it is no reason to worry. Milliseconds. */
const SKEW_MS = 60_000;
const REFUSED_SKEW_MS = 15 * 60_000;

/** `ms`: the store's clock less ours. */
export function clockFinding(ms: number): Finding {
  const seconds = Math.round(Math.abs(ms) / 1000);
  const text = `our clock is ${seconds} s ${ms > 0 ? 'behind' : 'ahead of'} the store's`;
  if (Math.abs(ms) < SKEW_MS) return ok('clock', text);
  return warn(
    'clock',
    text,
    `Set this machine's clock: from ${REFUSED_SKEW_MS / 60_000} min on, stores refuse what we sign.`,
  );
}
