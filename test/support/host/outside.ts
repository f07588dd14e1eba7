import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { listensAt } from '../process/listensAt.ts';

/** The addresses of "another machine": a namespace beside ours, which nothing leaves. */
export interface Outside extends AsyncDisposable {
  readonly port: number;
}

const LONGEST_MS = 60_000;

/** `addresses`: IPv4 addresses that end in 2, of a /30 each; something listens on each of them, once this resolves. */
export async function startOutside(addresses: readonly string[]): Promise<Outside> {
  const id = randomBytes(3).toString('hex');
  const [space, near, far] = [`rt-out-${id}`, `rto${id}a`, `rto${id}b`];
  const ip = (...args: string[]) => execFileSync('ip', args);
  const inside = (...args: string[]) => ip('netns', 'exec', space, 'ip', ...args);
  ip('netns', 'add', space);
  ip('link', 'add', near, 'type', 'veth', 'peer', 'name', far, 'netns', space);
  for (const address of addresses) {
    ip('address', 'add', `${address.replace(/2$/, '1')}/30`, 'dev', near);
    inside('address', 'add', `${address}/30`, 'dev', far);
  }
  ip('link', 'set', near, 'up');
  inside('link', 'set', far, 'up');
  inside('link', 'set', 'lo', 'up');
  const port = 8000;
  const listener = spawn(
    'ip',
    [
      'netns',
      'exec',
      space,
      '/usr/bin/python3',
      '-m',
      'http.server',
      '--directory',
      '/var/empty',
      String(port),
    ],
    { stdio: 'ignore' },
  );
  const end = () => {
    listener.kill('SIGKILL');
    ip('link', 'delete', near);
    ip('netns', 'delete', space);
  };
  for (const address of addresses)
    for (const begun = Date.now(); !(await listensAt(port, address)); await sleep(50))
      if (listener.exitCode !== null || Date.now() - begun > LONGEST_MS) {
        end();
        throw new Error(`nothing listens at ${address}`);
      }
  return { port, [Symbol.asyncDispose]: async () => end() };
}
