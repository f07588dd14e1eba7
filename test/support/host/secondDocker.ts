import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { endChild } from '../process/endChild.ts';
import { isRunning } from '../process/isRunning.ts';
import { standStill } from '../process/standStill.ts';

const LONGEST_MS = 180_000;

/** An engine of the test's own, which it may kill. It has no networks: nothing of it meets the shared one. */
export interface SecondDocker extends AsyncDisposable {
  readonly socket: string;
  /** What the Docker client prints for it. */
  cli(...args: string[]): string;
  /** SIGKILL to the daemon, whose containerd goes with it; its containers run on, as they do when it crashes. */
  kill(): Promise<void>;
  /** SIGTERM: an engine that is told to end, as by an upgrade. */
  stop(): Promise<void>;
  /** Resolves once it stands still. */
  suspend(): Promise<void>;
  resume(): void;
  start(): Promise<void>;
}

export async function secondDocker(image: string, liveRestore: boolean): Promise<SecondDocker> {
  const dir = mkdtempSync(join(tmpdir(), 'second-docker-'));
  const socket = join(dir, 'docker.sock');
  const flags = [
    ...['--data-root', join(dir, 'data'), '--exec-root', join(dir, 'exec'), '--pidfile', join(dir, 'pid')],
    ...['--host', `unix://${socket}`, '--bridge', 'none', '--iptables=false', '--ip6tables=false'],
    ...(liveRestore ? ['--live-restore'] : []),
  ];
  let child: ChildProcess | undefined;

  const cli = (...args: string[]) =>
    execFileSync('docker', ['--host', `unix://${socket}`, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  const end = async (signal: 'SIGKILL' | 'SIGTERM') => void (await endChild(child, signal));
  const start = async () => {
    const log = openSync(join(dir, 'log'), 'a');
    for (const begun = Date.now(); Date.now() - begun < LONGEST_MS; await sleep(100)) {
      // One that found no time for its containerd within 15 s has ended.
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) {
        rmSync(join(dir, 'pid'), { force: true });
        // A network namespace of its own: with `--bridge none` an engine removes docker0, whosever it is.
        child = spawn('unshare', ['--net', '--', 'dockerd', ...flags], { stdio: ['ignore', log, log] });
      }
      try {
        return void cli('version');
      } catch {
        // Not yet.
      }
    }
    throw new Error(
      `the second engine does not start:\n${readFileSync(join(dir, 'log'), 'utf8').slice(-2000)}`,
    );
  };

  await start();
  execFileSync('/bin/sh', ['-c', `docker save ${image} | docker --host unix://${socket} load`], {
    stdio: 'ignore',
  });
  return {
    socket,
    cli,
    kill: async () => {
      const containerd = Number(readFileSync(join(dir, 'exec/containerd/containerd.pid'), 'utf8'));
      await end('SIGKILL');
      // The next one would find it, and lose it.
      for (const begun = Date.now(); isRunning(containerd); await sleep(50))
        if (Date.now() - begun > LONGEST_MS) throw new Error('the containerd of the second engine stays');
    },
    stop: () => end('SIGTERM'),
    suspend: () => standStill(child!.pid!),
    resume: () => void child?.kill('SIGCONT'),
    start,
    async [Symbol.asyncDispose]() {
      const left = cli('ps', '--all', '--quiet')
        .split('\n')
        .filter((id) => id !== '');
      if (left.length > 0) cli('rm', '--force', ...left);
      await end('SIGTERM');
      // Mounts of containers, and the daemon's own.
      for (const line of readFileSync('/proc/mounts', 'utf8').split('\n')) {
        const target = line.split(' ')[1] ?? '';
        if (target.startsWith(`${dir}/`)) execFileSync('umount', ['-l', target]);
      }
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
