import { closeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject, onTestFinished, test } from 'vitest';
import { keptLines, openPipe } from '../../support/process/captureChild.ts';
import {
  executable,
  type Finished,
  newContainer,
  runRuntime,
  startProgram,
} from '../../support/process/executable.ts';
import { freePort } from '../../support/process/freePort.ts';
import { processesWith, roleOf } from '../../support/process/roleOf.ts';
import { standStill } from '../../support/process/standStill.ts';
import { type Supervised, supervised } from '../../support/process/supervised.ts';
import { faultyBot, isCode, isState } from '../../support/store/faultyStore.ts';
import { minioClient, startMinio } from '../../support/store/minio.ts';

/** Bots that end, and supervisors that are killed, before there is a sync daemon. */

const minio = inject('minio');
const logOf = async (botId: string): Promise<string> => {
  let text = '';
  const client = minioClient(minio);
  for await (const { name } of client.listObjectsV2('bot-logs', `logs/${botId}/`, true)) {
    for await (const chunk of await client.getObject('bot-logs', name)) text += chunk;
  }
  return text;
};

const debug = { LOG_LEVEL: 'debug', LOG_FORMAT: 'json' };

/** Lives until one was too short for a daemon: where the machine stands still even a bot that ends at once takes longer. */
async function soShort<Life extends { readonly end: Finished }>(live: () => Promise<Life>): Promise<Life> {
  for (let tries = 1; ; tries += 1) {
    const life = await live();
    if (tries === 10 || !life.end.stderr.includes('"role":"daemon"')) return life;
  }
}

test('a bot that ends at once has no daemon, and everything of it is saved', async () => {
  const { bot, end } = await soShort(async () => {
    const bot = await supervised('echo 1 > file; echo said; exit 3');
    return { bot, end: await bot.start(debug).finished };
  });
  expect(end).toMatchObject({ code: 3, stdout: 'said\n' });
  expect(end.stderr).not.toContain('"role":"daemon"');
  expect(await bot.exitRecord()).toMatchObject({ source: 'bot', exit: 3, stateSaved: true, logsSaved: true });
  expect(await bot.saved('cat file')).toBe('1\n');
  expect(await logOf(bot.env.BOT_ID!)).toContain('"message":"said"');
});

test('one change in a state that was restored: nothing of it is read again, and the store is asked for all that is new', async () => {
  const { first, bot, end } = await soShort(async () => {
    const first = await supervised('for i in $(seq 300); do head -c 1000 /dev/urandom > f$i; done');
    expect((await first.start().finished).code).toBe(0);
    const bot = await faultyBot('echo changed > f7');
    return { first, bot, end: await bot.start({ BOT_ID: first.env.BOT_ID!, ...debug }).finished };
  });
  expect(end.code, end.stderr).toBe(0);
  const asked = bot.proxy.requests
    .filter(isState)
    .map(({ method, path }) => `${method} ${path.replace(/^.*\/(head|manifests|packs)\b.*$/, '$1')}`);
  // Its claim, and what it is restored from; then the probe, beside what is new, and each of that.
  expect(asked.slice(0, 3)).toEqual(['GET head', 'PUT head', 'GET manifests']);
  const saving = asked.slice(asked.lastIndexOf('GET packs') + 1);
  expect(saving.slice(0, -2).toSorted()).toEqual(
    [
      ...['HEAD head', 'PUT head', 'PUT packs', 'PUT packs', 'HEAD packs', 'HEAD packs'],
      ...['PUT manifests', 'HEAD manifests'],
    ].toSorted(),
  );
  expect(saving.slice(-2)).toEqual(['PUT head', 'HEAD head']);
  expect(await first.saved('cat f7; ls | wc -l')).toBe('changed\n300\n');
});

test('negative control: a bot that stays has a daemon', async () => {
  const bot = await supervised("trap 'exit 0' HUP; echo 1 > file; echo up; while :; do sleep 0.05; done");
  const run = bot.start(debug);
  await run.prints('up');
  await expect.poll(run.stderr).toContain('"role":"daemon"');
  run.child.kill('SIGHUP');
  expect((await run.finished).code).toBe(0);
  expect(await bot.saved('cat file')).toBe('1\n');
});

test('SIGTERM before there is a daemon: the bot has its grace, and what it writes then is saved', async () => {
  const bot = await supervised(
    "trap 'echo 2 > file; echo stopped; exit 4' TERM; echo 1 > file; echo up; while :; do sleep 0.02; done",
  );
  const run = bot.start();
  await run.prints('up');
  run.child.kill('SIGTERM');
  expect(await run.finished).toMatchObject({ code: 4, stdout: 'up\nstopped\n' });
  expect(await bot.exitRecord()).toMatchObject({ exit: 4, stateSaved: true, logsSaved: true });
  expect(await bot.saved('cat file')).toBe('2\n');
});

/** A bot whose supervisor is killed once its first line is kept; whether there was a daemon by then, which saves instead. */
async function killedEarly(script: string): Promise<{ bot: Supervised; hadDaemon: boolean }> {
  const bot = await supervised(script);
  const { child } = bot.start();
  // Shown is not yet kept.
  const kept = () => keptLines(bot.env.LOGS_PATH!).catch(() => []);
  await expect.poll(async () => (await kept()).length, { interval: 5 }).toBeGreaterThan(0);
  await standStill(child.pid!);
  const hadDaemon = roleOf(child.pid!, 'daemon') !== undefined;
  child.kill('SIGKILL');
  await expect.poll(() => processesWith(`BOT_ID=${bot.env.BOT_ID}\0`), { timeout: 15_000 }).toEqual([]);
  return { bot, hadDaemon };
}

test('the supervisor is killed before there is a daemon: the bot ends, and the next start has all that it left', async () => {
  const script = 'n=$(cat n 2>/dev/null || echo 0); echo $((n+1)) > n; echo "run $((n+1))"; sleep 60';
  let { bot, hadDaemon } = await killedEarly(script);
  // On a busy machine this process may have had its turn too late.
  for (let tries = 1; hadDaemon && tries < 10; tries += 1) ({ bot, hadDaemon } = await killedEarly(script));
  expect(hadDaemon).toBe(false);
  // The same directories, as in a container that is started again.
  const second = bot.start();
  await second.prints('run 2');
  second.child.kill('SIGTERM');
  await second.finished;
  expect(await bot.saved('cat n')).toBe('2\n');
  const messages = (await logOf(bot.env.BOT_ID!)).match(/"message":"run \d"/g);
  expect(messages).toEqual(['"message":"run 1"', '"message":"run 2"']);
});

test('the store is gone before there is a daemon: 74 within the budget, and the next start has all that is left', async () => {
  const store = await startMinio({ port: await freePort(), quiet: true });
  try {
    const bot = await supervised("trap 'exit 0' TERM; echo 1 > file; echo up; while :; do sleep 0.02; done");
    const { CODE_FILE: _, ...env } = { ...bot.env, ...store.env() };
    for (const key of Object.keys(bot.env)) delete bot.env[key];
    Object.assign(bot.env, env);
    // However long this process is kept waiting, nothing is saved before the store is gone.
    const run = bot.start({ STOP_TIMEOUT: '3s', SYNC_INTERVAL: '1h', SYNC_ON_CHANGE: '0' });
    await run.prints('up');
    await store.pause();
    run.child.kill('SIGTERM');
    expect((await run.finished).code).toBe(74);
    expect(await bot.exitRecord()).toMatchObject({ code: 0, exit: 74, stateSaved: false, logsSaved: false });
    store.resume();
    expect((await bot.start({ ENTRYPOINT: 'cat "$STATE_PATH/file"' }).finished).stdout).toBe('1\n');
  } finally {
    await store.stop();
  }
});

test('another instance takes over before there is a daemon: 75, and what it has saved stands', async () => {
  const bot = await faultyBot('echo late > file');
  // The first one has taken its generation, and its code does not come before the other one has come and gone.
  const other = Promise.withResolvers<void>();
  bot.strike(isCode, { until: other.promise });
  const first = bot.start();
  const claimed = () =>
    minioClient(minio)
      .statObject('bot-state', `${bot.env.BOT_ID}/head`)
      .then(() => bot.struck());
  await expect.poll(claimed).toBe(1);
  const { env } = await newContainer();
  const ENTRYPOINT = 'echo old > "$STATE_PATH/file"';
  expect((await runRuntime(['execute'], { ...bot.env, ...env, ENTRYPOINT })).code).toBe(0);
  expect(first.child.exitCode).toBe(null);
  other.resolve();
  expect((await first.finished).code).toBe(75);
  expect(await bot.saved('cat file')).toBe('old\n');
});

test('a stop while the last output of a bot that has ended waits for a slow reader: all is saved within the budget', async () => {
  const bot = await supervised("echo 1 > file; head -c 100000 /dev/zero | tr '\\0' x; echo 2 > file");
  // One pipe holds 64 KiB, and so does the bot's own: it can end, and what it printed cannot all be passed on.
  const { reader, writer } = openPipe(bot.container.root);
  onTestFinished(() => [reader, writer].forEach(closeSync));
  const intoPipe = `exec "$0" execute > /proc/${process.pid}/fd/${writer}`;
  const env = { ...bot.env, STOP_TIMEOUT: '10s', LOG_LEVEL: 'debug' };
  const run = startProgram(['sh', '-c', intoPipe, executable], env);
  const exited = new Promise<number>((resolve) => run.child.once('exit', () => resolve(Date.now())));
  await expect.poll(() => run.stderr(), { timeout: 30_000 }).toContain('bot ended');
  await sleep(300);
  expect(run.child.exitCode).toBe(null);
  run.child.kill('SIGTERM');
  const stoppedAt = Date.now();
  expect((await exited) - stoppedAt).toBeLessThan(10_000);
  expect((await run.finished).code).toBe(0);
  expect(await bot.exitRecord()).toMatchObject({ exit: 0, stateSaved: true, logsSaved: true });
  expect(await bot.saved('cat file')).toBe('2\n');
});
