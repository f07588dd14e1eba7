import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, inject, onTestFinished, test } from 'vitest';
import { newContainer, runRuntime } from '../../support/process/executable.ts';
import { killTogether } from '../../support/process/killTogether.ts';
import { type FaultyBot, faultyBot, isCode, isHead } from '../../support/store/faultyStore.ts';
import { minioClient } from '../../support/store/minio.ts';

/** Starts that fail on a volume that holds more than what is saved, as a container that was killed leaves it. */

const inState = (script: string) => `cd "$(dirname "$STATE_DIR")" || exit 9; ${script}`;

async function leftBehind(): Promise<FaultyBot> {
  const bot = await faultyBot('echo 1 > file');
  expect((await bot.start().finished).code).toBe(0);
  const run = bot.start({ ENTRYPOINT: inState('echo 2 > file; echo up; sleep 60') });
  await run.prints('up');
  killTogether(`BOT_ID=${bot.env.BOT_ID}\0`);
  await run.finished;
  return bot;
}

test('stopped while the code is pulled: what an earlier life has left is saved before', async () => {
  const bot = await leftBehind();
  bot.strike(isCode, { hang: true }, 100);
  const pulled = bot.proxy.requests.length;
  const run = bot.start({ STOP_TIMEOUT: '8s' });
  await expect
    .poll(() => bot.proxy.requests.slice(pulled).filter((request) => isHead(request)).length, {
      timeout: 20_000,
    })
    .toBeGreaterThan(1);
  run.child.kill('SIGTERM');
  const stoppedAt = Date.now();
  expect((await run.finished).code).toBe(143);
  expect(Date.now() - stoppedAt).toBeLessThan(8000);
  expect(await bot.exitRecord()).toMatchObject({ exit: 143, stateSaved: true, logsSaved: true });
  expect(await bot.saved('cat file')).toBe('2\n');
});

test.for([
  ['the state is ours before that is known', isCode],
  ['that is known before the state is ours', isHead],
] as const)('no such code, and %s: what an earlier life has left is saved', async ([, late]) => {
  const bot = await leftBehind();
  bot.strike(late, { delayMs: 1000 });
  expect((await bot.start({ CODE_FILE: 'none.zip' }).finished).code).toBe(66);
  expect(await bot.exitRecord()).toMatchObject({ exit: 66, stateSaved: true, logsSaved: true });
  expect(await bot.saved('cat file')).toBe('2\n');
});

test('negative control: whoever cannot look at what is saved does not say that it is', async () => {
  const bot = await leftBehind();
  const recover = bot.strike(isHead, { status: 503, code: 'SlowDown' }, 1000);
  expect((await bot.start({ START_TIMEOUT: '300ms' }).finished).code).toBe(69);
  recover();
  expect(await bot.exitRecord()).toMatchObject({ exit: 69, stateSaved: false, logsSaved: false });
  const fresh = await newContainer();
  expect((await bot.start({ ...fresh.env, CODE_FILE: 'none.zip' }).finished).code).toBe(66);
  expect(await fresh.exitRecord()).toMatchObject({ exit: 66, stateSaved: true, logsSaved: true });
});

test('a head that is removed under a running instance is there again', async () => {
  const bot = await faultyBot('echo 1 > file; echo up; sleep 60');
  const run = bot.start({ SYNC_INTERVAL: '300ms' });
  await run.prints('up');
  const key = `${bot.env.BOT_ID}/head`;
  const client = minioClient(inject('minio'));
  const size = async () => (await client.statObject('bot-state', key).catch(() => undefined))?.size ?? 0;
  await expect.poll(size, { timeout: 20_000 }).toBeGreaterThan(500);
  await client.removeObject('bot-state', key);
  await expect.poll(size, { timeout: 20_000 }).toBeGreaterThan(500);
  run.child.kill('SIGTERM');
  expect((await run.finished).stderr).toContain('has been written again');
});

test('an interpreter that does not take its options cannot be run: 126, with where they come from', async () => {
  // It answers nothing, so that the pull outlasts the interpreter.
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  onTestFinished(() => void silent.close());
  const { env } = await newContainer();
  const { port } = silent.address() as AddressInfo;
  const { code, stderr } = await runRuntime(['execute'], {
    ...env,
    BOT_ID: 'b',
    RUNTIME: 'nodejs20',
    ENTRYPOINT: 'main.js',
    CODE_FILE: 'code.zip',
    MINIO_ENDPOINT: `127.0.0.1:${port}`,
    MINIO_ACCESS_KEY: 'key',
    MINIO_SECRET_KEY: 'secret',
    NODE_OPTIONS: '--no-such-option',
  });
  expect(code).toBe(126);
  expect(stderr).toContain('the interpreter ended before the bot ran (9)');
  expect(stderr).toContain('NODE_OPTIONS');
});
