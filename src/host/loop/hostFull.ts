import { readFileSync, statfsSync } from 'node:fs';

/** Below this share of the host's memory or disk nothing more is started. */
const LEAST_FREE = 0.1;
const FRESH_MS = 1_000;

/** Why nothing more may be started on this machine, as a sentence; undefined: there is room. Asks the system once per second. */
export function createHostFull(data: string, now: () => number): () => string | undefined {
  let last: { at: number; why: string | undefined } | undefined;
  return () => {
    if (last === undefined || now() - last.at >= FRESH_MS) last = { at: now(), why: memory() ?? disk(data) };
    return last.why;
  };
}

function memory(): string | undefined {
  const text = readFileSync('/proc/meminfo', 'utf8');
  const total = field(text, 'MemTotal');
  const available = field(text, 'MemAvailable');
  return available < total * LEAST_FREE
    ? `${Math.round(available / 1024)} MiB of ${Math.round(total / 1024)} MiB of memory are left`
    : undefined;
}

function field(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? Number.NaN);
}

function disk(path: string): string | undefined {
  const { bavail, blocks, bsize } = statfsSync(path);
  return bavail < blocks * LEAST_FREE
    ? `${Math.round((bavail * bsize) / 2 ** 20)} MiB are left on the disk of ${path}`
    : undefined;
}
