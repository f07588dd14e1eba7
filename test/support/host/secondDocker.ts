import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** An engine of the test's own, which it may kill. It has no networks: nothing of it meets the shared one. */
export interface SecondDocker extends AsyncDisposable {
  readonly socket: string;
  /** SIGKILL to the daemon; its containers run on, as they do when it crashes. */
  kill(): Promise<void>;
  /** SIGTERM: an engine that is told to end, as by an upgrade. */
  stop(): Promise<void>;
  suspend(): void;
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
  let child: ChildProcess;

  const end = async (signal: 'SIGKILL' | 'SIGTERM') => {
    const exit = once(child, 'exit');
    child.kill(signal);
    await exit;
  };
  const start = async () => {
    rmSync(join(dir, 'pid'), { force: true });
    const log = openSync(join(dir, 'log'), 'a');
    // A network namespace of its own: with `--bridge none` an engine removes docker0, whosever it is.
    child = spawn('unshare', ['--net', '--', 'dockerd', ...flags], { stdio: ['ignore', log, log] });
    for (let tried = 0; tried < 300; tried += 1) {
      if (child.exitCode !== null) break;
      try {
        return void execFileSync('docker', ['--host', `unix://${socket}`, 'version'], { stdio: 'ignore' });
      } catch {
        await sleep(100);
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
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    suspend: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    start,
    async [Symbol.asyncDispose]() {
      const docker = (...args: string[]) =>
        execFileSync('docker', ['--host', `unix://${socket}`, ...args], { encoding: 'utf8' });
      const left = docker('ps', '--all', '--quiet')
        .split('\n')
        .filter((id) => id !== '');
      if (left.length > 0) docker('rm', '--force', ...left);
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
