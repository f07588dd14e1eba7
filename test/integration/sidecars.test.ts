import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { newContainer, runRuntime, startRuntime } from '../support/executable.ts';
import { freePort } from '../support/freePort.ts';

/** A pod: an init container, a sidecar that saves, and the bot. */
async function pod() {
  const { root, env: places } = await newContainer();
  await mkdir(join(root, 'bot'));
  const env = { ...places, BOT_ID: 'pod', RUNTIME: 'command', STORE_URL: `file://${root}/store` };
  const port = await freePort();
  expect((await runRuntime(['daemon', 'init'], env)).code).toBe(0);
  const sync = startRuntime(['daemon', 'sync', '--readiness-port', String(port)], env);
  const ready = () => fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
  while ((await ready())?.status !== 200) await sleep(20);
  const bot = (program: string) =>
    runRuntime(['execute', '--skip-sync'], { ...env, ENTRYPOINT: program, STORE_URL: undefined });
  return { env, sync, bot, state: () => runRuntime(['state', 'show', 'pod'], env) };
}

test('a bot between an init container and a sync sidecar keeps its state', async () => {
  const { sync, bot, state } = await pod();
  expect((await bot('echo 1 > $STATE_PATH/kept; exit 5')).code).toBe(5);
  sync.child.kill('SIGTERM');
  expect((await sync.finished).code).toBe(0);
  expect((await state()).stdout).toMatch(/\tkept\n/);
});

test('a second SIGTERM does not end the final sync of the sidecar half-way', async () => {
  const { sync, bot, state } = await pod();
  await bot('head -c 50000000 /dev/urandom > $STATE_PATH/large');
  const insisting = setInterval(() => sync.child.kill('SIGTERM'), 1);
  const { code, signal } = await sync.finished;
  clearInterval(insisting);
  expect({ code, signal }).toEqual({ code: 0, signal: null });
  expect((await state()).stdout).toMatch(/\tlarge\n/);
});
