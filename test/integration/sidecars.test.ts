import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { newContainer, runRuntime, startRuntime } from '../support/executable.ts';
import { freePort } from '../support/freePort.ts';

/** A pod: an init container, a sidecar that saves, and the bot. */
async function pod(extra: Record<string, string> = {}) {
  const { root, env: places } = await newContainer();
  await mkdir(join(root, 'bot'));
  const env = { ...places, BOT_ID: 'pod', RUNTIME: 'command', STORE_URL: `file://${root}/store`, ...extra };
  const startSync = async () => {
    const port = await freePort();
    const started = startRuntime(['daemon', 'sync', '--readiness-port', String(port)], env);
    const ready = () => fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
    while (started.child.exitCode === null && (await ready())?.status !== 200) await sleep(20);
    return started;
  };
  expect((await runRuntime(['daemon', 'init'], env)).code).toBe(0);
  const sync = await startSync();
  const bot = (program: string) =>
    runRuntime(['execute', '--skip-sync'], { ...env, ENTRYPOINT: program, STORE_URL: undefined });
  return { env, sync, startSync, bot, state: () => runRuntime(['state', 'show', 'pod'], env) };
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

test('the bot removes the marker: the sidecar puts it back, and one that starts again goes on', async () => {
  const { sync, startSync, bot, state } = await pod({ SYNC_INTERVAL: '200ms', SYNC_ON_CHANGE: '0' });
  const marker = '$STATE_PATH/.runtime-sync/marker';
  await bot(`rm -rf $STATE_PATH/.runtime-sync; until [ -e ${marker} ]; do sleep 0.05; done`);
  sync.child.kill('SIGKILL');
  await sync.finished;
  const again = await startSync();
  await bot('echo 1 > $STATE_PATH/late');
  again.child.kill('SIGTERM');
  const end = await again.finished;
  expect(end.code, end.stderr).toBe(0);
  expect((await state()).stdout).toMatch(/\tlate\n/);
});
