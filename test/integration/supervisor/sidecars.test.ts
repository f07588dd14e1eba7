import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject, test } from 'vitest';
import { containerBots } from '../../support/container/containerBots.ts';
import { newContainer, runRuntime, startRuntime } from '../../support/process/executable.ts';
import { freePort } from '../../support/process/freePort.ts';

/** A pod: an init container, a sidecar that saves, and the bot. */
async function pod(extra: Record<string, string> = {}) {
  const { root, env: places, exitRecord } = await newContainer();
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
  const start = (program: string) =>
    startRuntime(['execute', '--skip-sync'], { ...env, ENTRYPOINT: program, STORE_URL: undefined });
  const bot = (program: string) => start(program).finished;
  const state = () => runRuntime(['state', 'show', 'pod'], env);
  return { env, exitRecord, sync, startSync, start, bot, state };
}

test('a bot between an init container and a sync sidecar keeps its state', async () => {
  const { sync, bot, state, exitRecord } = await pod();
  expect((await bot('echo 1 > $STATE_PATH/kept; exit 5')).code).toBe(5);
  // By the bot's container nothing is saved, and nothing went wrong.
  expect(await exitRecord()).toMatchObject({
    source: 'bot',
    exit: 5,
    stateSaved: false,
    logsSaved: false,
  });
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

test('a sidecar takes no notice of signals that ask for no end', async () => {
  const { sync, bot, state } = await pod();
  expect((await bot('echo 1 > $STATE_PATH/kept')).code).toBe(0);
  for (const signal of [1, 3, 10, 14, 20, 24, 26, 27, 29, 30, 34, 50, 64])
    process.kill(sync.child.pid!, signal);
  await sleep(200);
  sync.child.kill('SIGTERM');
  expect(await sync.finished).toMatchObject({ code: 0, signal: null });
  expect((await state()).stdout).toMatch(/\tkept\n/);
});

test('the bot removes the marker: the sidecar puts it back, and one that starts again goes on', async () => {
  const { sync, startSync, bot, state } = await pod({ SYNC_INTERVAL: '200ms', SYNC_ON_CHANGE: '0' });
  const marker = '$STATE_PATH/.runtime-sync';
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

test.each(['while the sidecar runs', 'while the sidecar is down'])(
  'another instance takes over %s: sidecar and bot end with 75, until the state is pulled anew',
  async (when) => {
    const { env, exitRecord, startSync, start, bot, state, ...first } = await pod({ SYNC_INTERVAL: '200ms' });
    let { sync } = first;
    const waiting = "trap 'echo stopped; exit 0' TERM; echo up; while :; do sleep 0.05; done";
    const fenced = start(waiting);
    await fenced.prints('up');
    const isDown = when.endsWith('down');
    if (isDown) {
      sync.child.kill('SIGKILL');
      await sync.finished;
    }
    const { env: elsewhere } = await newContainer();
    const other = await runRuntime(['execute'], {
      ...env,
      ...elsewhere,
      ENTRYPOINT: 'echo 1 > $STATE_PATH/theirs',
    });
    expect(other.code).toBe(0);
    if (isDown) sync = await startSync();

    expect((await sync.finished).code).toBe(75);
    const end = await fenced.finished;
    expect(end).toMatchObject({ code: 75, stdout: 'up\nstopped\n' });
    expect(end.stderr).toContain('taken over');
    expect(await exitRecord()).toMatchObject({ source: 'runtime', code: 0, exit: 75, stateSaved: false });
    // Restarted without a pull, as by a kubelet: it would run on a state that nobody may save.
    expect(await bot('echo ran')).toMatchObject({ code: 75, stdout: '' });

    expect((await runRuntime(['daemon', 'init'], env)).code).toBe(0);
    expect(await bot('ls $STATE_PATH')).toMatchObject({ code: 0, stdout: 'theirs\n' });
    expect((await state()).stdout).toMatch(/\ttheirs\n/);
  },
);

test('without an init container the bot pulls itself, once, and the sidecar that was there before it saves', async () => {
  const { deploy } = await containerBots(inject('minio'));
  const env = {
    ...(await deploy({ kind: 'command', entrypoint: 'true', files: { code: 'archived' } })),
    ...(await newContainer()).env,
  };
  const sync = startRuntime(['daemon', 'sync'], env);
  const log = () => sync.stderr();
  await expect.poll(log, { timeout: 20_000 }).toContain('nothing is pulled yet');
  const bot = (program: string) =>
    runRuntime(['execute', '--skip-sync'], { ...env, ENTRYPOINT: `cd "$STATE_PATH"; ${program}` });
  expect(await bot('cat "$CODE_PATH/code"; echo 1 > kept')).toMatchObject({ code: 0, stdout: 'archived' });
  await expect.poll(log, { timeout: 20_000 }).toContain('saving the state');
  // Started again, it goes on with what is there: another pull would take the bot from its sidecar.
  expect(await bot('cat kept; echo 2 > kept')).toMatchObject({ code: 0, stdout: '1\n' });
  sync.child.kill('SIGTERM');
  const end = await sync.finished;
  expect(end.code, end.stderr).toBe(0);
  const { env: elsewhere } = await newContainer();
  const other = { ...env, ...elsewhere, ENTRYPOINT: 'cat "$STATE_PATH/kept"' };
  expect((await runRuntime(['execute'], other)).stdout).toBe('2\n');
  // And here it finds what another has saved.
  const { env: third } = await newContainer();
  const alone = await runRuntime(['execute', '--skip-sync'], { ...other, ...third });
  expect(alone).toMatchObject({ code: 0, stdout: '2\n' });
});
