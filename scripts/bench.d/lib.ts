import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Writable } from 'node:stream';

/** What the benches share: medians, timed child processes, memory as the kernel counts it. */

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The smallest value that a share `q` of all does not exceed; of none NaN. */
export function quantile(values: readonly number[], q: number): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(q * values.length) - 1] ?? Number.NaN;
}

/** Processor time of the whole cgroup of a process so far, milliseconds; version 2 or 1. */
export function cpuOfCgroupMs(pid: number): number {
  const groups = readFileSync(`/proc/${pid}/cgroup`, 'utf8');
  const version1 = /^\d+:[^:]*\bcpuacct\b[^:]*:(.*)$/m.exec(groups)?.[1];
  if (version1 !== undefined)
    return Number(readFileSync(`/sys/fs/cgroup/cpuacct${version1}/cpuacct.usage`, 'utf8')) / 1e6;
  const version2 = /^0::(.*)$/m.exec(groups)?.[1] ?? '';
  return (
    Number(/^usage_usec (\d+)/m.exec(readFileSync(`/sys/fs/cgroup${version2}/cpu.stat`, 'utf8'))?.[1]) / 1e3
  );
}

/** Calls each of `cases` in turn, `runs` times over, so that a noisy moment hits all of them; medians by name. */
export async function sideBySide(
  runs: number,
  cases: Readonly<Record<string, () => Promise<number>>>,
): Promise<Record<string, number>> {
  const seen: Record<string, number[]> = Object.fromEntries(Object.keys(cases).map((name) => [name, []]));
  for (const run of Object.values(cases)) await run();
  for (let i = 0; i < runs; i += 1)
    for (const [name, run] of Object.entries(cases)) seen[name]!.push(await run());
  return Object.fromEntries(Object.entries(seen).map(([name, values]) => [name, median(values)]));
}

export interface TimedRun {
  /** Milliseconds from spawn to the first byte on stdout; NaN when there was none. */
  readonly firstLineMs: number;
  readonly totalMs: number;
  readonly code: number | null;
  readonly stderr: string;
}

export interface TimedOptions {
  readonly cwd?: string;
  /** Written to file descriptor 3, for launchers (src/kinds). */
  readonly control?: string;
}

export function timed(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  { cwd, control }: TimedOptions = {},
): Promise<TimedRun> {
  const [file = '', ...args] = argv;
  return new Promise((resolve, reject) => {
    const began = performance.now();
    let firstLineMs = Number.NaN;
    let stderr = '';
    const child = spawn(file, args, {
      env,
      stdio: ['ignore', 'pipe', 'pipe', control === undefined ? 'ignore' : 'pipe'],
      ...(cwd ? { cwd } : {}),
    });
    if (control !== undefined) (child.stdio[3] as Writable).end(control);
    child.stdout!.on('data', () => {
      if (Number.isNaN(firstLineMs)) firstLineMs = performance.now() - began;
    });
    child.stderr!.on('data', (chunk) => {
      stderr += chunk;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ firstLineMs, totalMs: performance.now() - began, code, stderr }));
  });
}

/** Anonymous memory of a process in MiB (proc(5), smaps_rollup). */
export function anonymousMiB(pid: number): number {
  const kib = /^Anonymous:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1];
  return Number(kib) / 1024;
}

/** CPU seconds of a process so far, its reaped children included (proc(5), stat; 100 ticks a second). */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0) / 100;
}

export function printTable(title: string, rows: readonly (readonly [string, string, string?])[]): void {
  console.log(`\n## ${title}\n\n| what | figure | goal |\n| --- | --- | --- |`);
  for (const [what, figure, goal = ''] of rows) console.log(`| ${what} | ${figure} | ${goal} |`);
}

export function printColumns(
  title: string,
  columns: readonly string[],
  rows: readonly (readonly string[])[],
): void {
  console.log(`\n## ${title}\n\n| ${columns.join(' | ')} |\n|${' --- |'.repeat(columns.length)}`);
  for (const row of rows) console.log(`| ${row.join(' | ')} |`);
}

export const ms = (value: number): string => `${value.toFixed(1)} ms`;
export const mib = (value: number): string => `${value.toFixed(1)} MiB`;
