import { readFileSync, statfsSync } from 'node:fs';
import { hasPassed } from '../../base/hasPassed.ts';

/** Below this share of the host's memory or disk nothing more is started. */
const LEAST_FREE = 0.1;
const FRESH_MS = 1_000;

/** Whether there is room on this machine. */
export interface HostFull {
  /** Why nothing more may be started, as a sentence; undefined: there is room. */
  any(): string | undefined;
  /** The same of the disk alone. */
  disk(): string | undefined;
}

/** Asks the system once per second. */
export function createHostFull(data: string, now: () => number): HostFull {
  let last: { at: number; memory: string | undefined; disk: string | undefined } | undefined;
  const look = () => {
    if (last === undefined || hasPassed(last.at, FRESH_MS, now()))
      last = { at: now(), memory: fullMemory(), disk: fullDisk(data) };
    return last;
  };
  return { any: () => look().memory ?? look().disk, disk: () => look().disk };
}

function fullMemory(): string | undefined {
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

function fullDisk(path: string): string | undefined {
  const { bavail, blocks, bsize } = statfsSync(path);
  return bavail < blocks * LEAST_FREE
    ? `${Math.round((bavail * bsize) / 2 ** 20)} MiB are left on the disk of ${path}`
    : undefined;
}
