import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../../support/files/temporary.ts';
import { runRuntime, startRuntime } from '../../support/process/executable.ts';
import { freePort } from '../../support/process/freePort.ts';

async function made(kind: string): Promise<string> {
  const dir = join(await temporaryDirectory(), 'mine');
  expect(await runRuntime(['init', dir, '--kind', kind], {})).toMatchObject({ code: 0 });
  return dir;
}

test.each(['python3.11', 'nodejs20', 'command', 'python-function', 'python-code'])(
  'what `runtime init --kind %s` makes runs, goes on from its last run, and is asked',
  async (kind) => {
    const dir = await made(kind);
    for (const run of [1, 2]) {
      expect(await runRuntime(['execute', dir], {})).toMatchObject({
        code: 0,
        stdout: `mine: run number ${run}\n`,
      });
    }
    const asked = await runRuntime(['execute', dir, '--query', '/status'], {});
    expect(JSON.parse(asked.stdout)).toMatchObject({ status: 'ok', data: { runs: 2 } });
    const wrong = await runRuntime(['execute', dir, '--query', '/other'], {});
    expect(wrong.code).not.toBe(0);
    expect(JSON.parse(wrong.stdout)).toMatchObject({ status: 'error' });
  },
);

test.each(['python3.11', 'nodejs20'])('the query program of a %s bot answers as a server', async (kind) => {
  const dir = await made(kind);
  expect((await runRuntime(['execute', dir], {})).code).toBe(0);
  const port = await freePort();
  const server = startRuntime(['execute', dir, '--query-server-only'], { QUERY_PORT: String(port) });
  const ask = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined);
    return (await answer?.json()) as unknown;
  };
  await expect
    .poll(() => ask('/status?a=1'), { timeout: 20_000 })
    .toEqual({ status: 'ok', data: { runs: 1, params: { a: '1' } } });
  expect(await ask('/other')).toMatchObject({ status: 'error' });
  server.child.kill('SIGTERM');
  await server.finished;
});

test('what `runtime init` makes for a compiled kind is built by its build command, and runs', async () => {
  const dir = await made('gcc13');
  await promisify(execFile)(join(dir, 'build'));
  const bot = startRuntime(['execute', dir, '--skip-query-server'], {});
  await bot.prints('run 1, from tick 0');
  const state = join(dir, '.runtime/state/.the0-state/counter.json');
  await expect.poll(() => existsSync(state), { timeout: 10_000 }).toBe(true);
  bot.child.kill('SIGTERM');
  await bot.finished;
  const asked = await runRuntime(['execute', dir, '--query', '/status'], {});
  expect(JSON.parse(asked.stdout)).toMatchObject({ status: 'ok', data: { runs: 1 } });
});
