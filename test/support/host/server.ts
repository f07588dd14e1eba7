import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { endChild } from '../process/endChild.ts';
import { freePort } from '../process/freePort.ts';
import { listensAt } from '../process/listensAt.ts';

/** A real server that `scripts/NAME run DIR PORT` starts on loopback. */
export interface TestServer extends AsyncDisposable {
  readonly port: number;
  start(): Promise<void>;
  kill(): Promise<void>;
}

export async function testServer(name: 'ferretdb' | 'nats'): Promise<TestServer> {
  const dir = mkdtempSync(join(tmpdir(), `${name}-`));
  const port = await freePort();
  let child: ChildProcess | undefined;

  async function start(): Promise<void> {
    const script = join(import.meta.dirname, '../../../scripts', name);
    child = spawn(script, ['run', dir, String(port)], { stdio: ['ignore', 'ignore', 'ignore'] });
    for (let tries = 0; !(await listensAt(port)); tries++) {
      if (tries > 3_000 || child.exitCode !== null) throw new Error(`${name} does not start`);
      await pause(100);
    }
  }

  const kill = async () => void (await endChild(child, 'SIGKILL'));

  await start();
  return {
    port,
    start,
    kill,
    [Symbol.asyncDispose]: async () => {
      await kill();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
