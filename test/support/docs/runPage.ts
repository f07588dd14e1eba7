import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { unmountBelow } from '../files/unmountBelow.ts';
import { removeHost } from '../host/testDocker.ts';

export interface Ran {
  readonly code: number | null;
  /** stdout and stderr as they came. */
  readonly output: string;
}

/** Runs a page's script in a folder. What it leaves behind, a host's containers included, is gone when the test has finished. */
export async function runPage(script: string, env: NodeJS.ProcessEnv, cwd: string): Promise<Ran> {
  const child = spawn('bash', ['-c', script], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  onTestFinished(async () => {
    try {
      process.kill(-child.pid!, 'SIGKILL');
    } catch {
      // All of it has ended, as it should.
    }
    for (const data of ['host-data', 'serve-data']) {
      const host = await readFile(join(cwd, data, 'host-id'), 'utf8').catch(() => undefined);
      if (host !== undefined) await removeHost(host.trim());
    }
    unmountBelow(cwd);
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  return await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}
