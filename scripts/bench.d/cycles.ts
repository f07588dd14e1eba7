import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { roleOf } from '../../test/support/process/roleOf.ts';
import { anonymousMiB, median } from './lib.ts';

export interface Cycles {
  /** CPU of the daemon for a publish of one change, and how long it took. */
  readonly changedCpuMs: number;
  readonly changedMs: number;
  readonly changedBytes: number;
  /** CPU of the daemon for a look that finds nothing. */
  readonly unchangedCpuMs: number;
  readonly daemonMiB: number;
}

/** How often an idle daemon looks here, in seconds; in production it is every 60. */
const INTERVAL = 2;

/** What a daemon costs that runs beside a sleeping bot: `change` is called for each of a few changes of the state. */
export async function measureCycles(
  runtime: string,
  env: Record<string, string | undefined>,
  change: () => void,
): Promise<Cycles> {
  const child = spawn(runtime, ['execute'], {
    env: { ...env, ENTRYPOINT: 'exec sleep 1000', SYNC_INTERVAL: `${INTERVAL}s`, SYNC_ON_CHANGE: '200ms' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const log = published(child);
  const daemon = await daemonOf(child);
  await sleep(4 * INTERVAL * 1000);
  const looks = 5;
  const before = cpuMs(daemon);
  await sleep(looks * INTERVAL * 1000);
  const unchangedCpuMs = (cpuMs(daemon) - before) / looks;
  const changes: { cpuMs: number; ms: number; bytes: number }[] = [];
  for (let i = 0; i < 3; i += 1) {
    const cpu = cpuMs(daemon);
    const next = log.next();
    change();
    const { ms, bytes } = await next;
    changes.push({ cpuMs: cpuMs(daemon) - cpu, ms, bytes });
    // Publishes are 5 s apart.
    await sleep(5000);
  }
  // What it gives back once it has been quiet for 10 s is gone then.
  await sleep(10_000);
  const daemonMiB = anonymousMiB(daemon);
  child.kill('SIGTERM');
  await once(child, 'exit');
  const of = (key: 'cpuMs' | 'ms' | 'bytes') => median(changes.map((one) => one[key]));
  return {
    changedCpuMs: of('cpuMs'),
    changedMs: of('ms'),
    changedBytes: of('bytes'),
    unchangedCpuMs,
    daemonMiB,
  };
}

/** Share of a core that an idle daemon uses, in per cent, over so many seconds at the default interval. */
export async function measureIdle(
  runtime: string,
  env: Record<string, string | undefined>,
  seconds: number,
): Promise<number> {
  const child = spawn(runtime, ['execute'], {
    env: { ...env, ENTRYPOINT: 'exec sleep 100000' },
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  const daemon = await daemonOf(child);
  await sleep(15_000);
  const before = cpuMs(daemon);
  await sleep(seconds * 1000);
  const share = (cpuMs(daemon) - before) / (seconds * 10);
  child.kill('SIGTERM');
  await once(child, 'exit');
  return share;
}

async function daemonOf(supervisor: ChildProcess): Promise<number> {
  for (;;) {
    const found = roleOf(supervisor.pid!, 'daemon');
    if (found !== undefined) return found;
    await sleep(20);
  }
}

/** CPU of all threads so far: schedstat counts nanoseconds, stat only ticks. */
function cpuMs(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const of = (thread: string) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')[0]);
  return threads.reduce((sum, thread) => sum + of(thread), 0) / 1e6;
}

function published(child: ChildProcess) {
  let waiting: ((line: { ms: number; bytes: number }) => void) | undefined;
  let rest = '';
  child.stderr!.on('data', (chunk) => {
    const lines = `${rest}${chunk}`.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const { message, durationMs, uploadedBytes } = JSON.parse(line);
      if (message === 'snapshot published') waiting?.({ ms: durationMs, bytes: uploadedBytes });
    }
  });
  const next = () =>
    new Promise<{ ms: number; bytes: number }>((resolve) => {
      waiting = resolve;
    });
  return { next };
}
