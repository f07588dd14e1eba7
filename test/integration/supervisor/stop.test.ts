import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { botProcesses, readProcessTable } from '../../../src/base/process/processTree.ts';
import { signalProcess } from '../../../src/base/process/signalProcess.ts';
import { freePort } from '../../support/process/freePort.ts';
import { machineTime } from '../../support/process/machineTime.ts';
import { processesWith } from '../../support/process/roleOf.ts';
import { supervised } from '../../support/process/supervised.ts';
import { waitForRole } from '../../support/process/waitForRole.ts';
import { startMinio } from '../../support/store/minio.ts';
import { readSaved } from '../../support/store/readSaved.ts';

/** All but those of a crash, KILL and STOP, PIPE and CHLD, which end nobody, TERM and INT, and the C library's own (32, 33). */
const passedOn = [1, 3, 6, 10, 12, 14, 16, 18, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31].concat(
  Array.from({ length: 31 }, (_, index) => 34 + index),
);

const living = () =>
  readProcessTable()
    .filter(({ state }) => state !== 'Z')
    .map(({ pid }) => pid);
/** For a bot that waits until its child has said so. */
const onceReady = 'until [ -e ready ]; do sleep 0.05; done';
/** A process of the bot's that prints its id as `NAME PID`. */
const pidIn = (text: string, name: string) => Number(new RegExp(`${name} (\\d+)`).exec(text)?.[1]);

test('a bot that ignores SIGTERM is killed when 60 % of STOP_TIMEOUT are over, and its state is saved', async () => {
  const bot = await supervised(
    "trap 'echo heard; echo late > file' TERM; echo up; while :; do sleep 0.05; done",
  );
  // So long that the rest of it is enough for a busy machine.
  const run = bot.start({ STOP_TIMEOUT: '10s' });
  await run.prints('up');
  run.child.kill('SIGTERM');
  const stoppedAt = Date.now();
  const end = await run.finished;
  const took = Date.now() - stoppedAt;
  expect(end).toMatchObject({ code: 137 });
  expect(took).toBeGreaterThan(5900);
  expect(took).toBeLessThan(10_000);
  expect(await bot.exitRecord()).toMatchObject({
    source: 'bot',
    signal: 'SIGKILL',
    exit: 137,
    stateSaved: true,
  });
  expect(await bot.saved('cat file')).toBe('late\n');
});

test('a second signal ends the grace at once; the state is saved all the same', async () => {
  const bot = await supervised(
    "trap 'echo 1 > file; echo heard' TERM; echo up; while :; do sleep 0.05; done",
  );
  const run = bot.start({ STOP_TIMEOUT: '1h' });
  await run.prints('up');
  run.child.kill('SIGINT');
  await run.prints('heard');
  run.child.kill('SIGTERM');
  expect(await run.finished).toMatchObject({ code: 137 });
  expect(await bot.exitRecord()).toMatchObject({ signal: 'SIGKILL', stateSaved: true });
  expect(await bot.saved('cat file')).toBe('1\n');
});

test("a shell's program gets the whole grace, although the shell ends at once", async () => {
  const bot = await supervised(
    `sh -c "trap 'sleep 0.5; echo saved > file; exit' TERM; echo up; while :; do sleep 0.05; done" & wait`,
  );
  const run = bot.start();
  await run.prints('up');
  run.child.kill('SIGTERM');
  expect((await run.finished).code).toBe(143);
  expect(await bot.saved('cat file')).toBe('saved\n');
});

test('children that the bot leaves in its group are ended, and what they write until then is saved', async () => {
  const bot = await supervised(
    `sh -c "trap 'echo saved > file; exit' TERM; echo child \\$\\$; : > ready; while :; do sleep 0.05; done" & ${onceReady}; exit 5`,
  );
  const run = bot.start();
  const end = await run.finished;
  expect(end.code).toBe(5);
  expect(living()).not.toContain(pidIn(end.stdout, 'child'));
  expect(await bot.saved('cat file')).toBe('saved\n');
});

test('a child in the group that ignores SIGTERM is killed', async () => {
  const bot = await supervised(
    `sh -c "trap '' TERM; echo child \\$\\$; : > ready; while :; do sleep 0.05; done" & ${onceReady}; exit 5`,
  );
  const end = await bot.start().finished;
  expect(end.code).toBe(5);
  expect(living()).not.toContain(pidIn(end.stdout, 'child'));
});

test('a grandchild that holds stdout open does not hold the exit', async () => {
  const bot = await supervised(
    `setsid sh -c "echo child \\$\\$; : > ready; exec sleep 1000" & ${onceReady}; echo bye; exit 4`,
  );
  const run = bot.start();
  const exited = new Promise<number | null>((resolve) => run.child.once('exit', resolve));
  await run.prints('bye');
  const child = pidIn(run.stdout(), 'child');
  onTestFinished(() => void signalProcess(child, 'SIGKILL'));
  expect(await exited).toBe(4);
  // It has a session of its own and its parent is gone: outside a container nobody can tell that it was the bot's.
  expect(living()).toContain(child);
  expect(await bot.exitRecord()).toMatchObject({ exit: 4, stateSaved: true, logsSaved: true });
});

test('grandchildren with sessions of their own are killed with a bot that has to be', async () => {
  const bot = await supervised(
    "trap '' TERM; setsid sleep 1000 & setsid sh -c 'setsid sleep 1000; :' & echo up; while :; do sleep 0.05; done",
  );
  const run = bot.start({ STOP_TIMEOUT: '10s' });
  await run.prints('up');
  run.child.kill('SIGTERM');
  expect((await run.finished).code).toBe(137);
  await expect.poll(() => processesWith(`BOT_ID=${bot.env.BOT_ID}\0`)).toEqual([]);
});

test('every signal but those that ask for an end is the bot’s business, and none ends or stops the runtime', async () => {
  const bot = await supervised(
    `for n in ${passedOn.join(' ')}; do trap "echo got $n." $n; done; echo up; while :; do sleep 0.01; done`,
  );
  const run = bot.start();
  await run.prints('up');
  for (const signal of passedOn) {
    process.kill(run.child.pid!, signal);
    await run.prints(`got ${signal}.`);
  }
  run.child.kill('SIGTERM');
  expect(await run.finished).toMatchObject({ code: 143 });
  expect(await bot.exitRecord()).toMatchObject({ source: 'bot', signal: 'SIGTERM', stateSaved: true });
});

test('a bot that stands still is stopped too', async () => {
  const bot = await supervised('echo up $$; exec sleep 60');
  const run = bot.start({ STOP_TIMEOUT: '1h' });
  await run.prints('up');
  process.kill(pidIn(run.stdout(), 'up'), 'SIGSTOP');
  run.child.kill('SIGTERM');
  expect((await run.finished).code).toBe(143);
});

test('a daemon that stands still at the end is replaced, and the state saved', async () => {
  const bot = await supervised("trap 'echo 1 > file; exit 0' TERM; echo up; while :; do sleep 0.05; done");
  // Half of what is left is waited for its answer, the other half is for the one in its place.
  const run = bot.start({ STOP_TIMEOUT: '14s' });
  await run.prints('up');
  const daemon = await waitForRole(run.child.pid!, 'daemon');
  process.kill(daemon, 'SIGSTOP');
  run.child.kill('SIGTERM');
  const end = await run.finished;
  expect(end).toMatchObject({ code: 0 });
  expect(end.stderr).toContain('does not answer');
  expect(await bot.saved('cat file')).toBe('1\n');
  expect(living()).not.toContain(daemon);
});

test('the store is gone at the end: 74 within the budget, and exit.json says what was not saved', async () => {
  const store = await startMinio({ port: await freePort() });
  try {
    const bot = await supervised(
      "trap 'echo 2 > file; exit 0' TERM; echo 1 > file; echo up; while :; do sleep 0.05; done",
    );
    const { CODE_FILE: _, ...env } = { ...bot.env, ...store.env() };
    for (const key of Object.keys(bot.env)) delete bot.env[key];
    Object.assign(bot.env, env);
    const run = bot.start({ STOP_TIMEOUT: '3s', SYNC_INTERVAL: '200ms' });
    await run.prints('up');
    await expect.poll(() => readSaved(store, bot.env.BOT_ID!, 'file'), { timeout: 20_000 }).toBe('1\n');
    await store.kill();
    // The container ends with its supervisor; a daemon that was told to go may hold our standard error a little longer.
    const time = machineTime();
    const exited = new Promise<number>((resolve) => run.child.once('exit', () => resolve(time.ms())));
    run.child.kill('SIGTERM');
    // All of it is used but for 0.3 s.
    expect(await exited).toBeLessThan(3000);
    time.stop();
    const end = await run.finished;
    expect(end.code).toBe(74);
    expect(await bot.exitRecord()).toMatchObject({
      source: 'runtime',
      code: 0,
      exit: 74,
      stateSaved: false,
      logsSaved: false,
    });
    await store.start();
    expect(await bot.saved('cat file')).toBe('1\n');
    // On the same directories nothing is lost: what was not saved is still there.
    const again = bot.start({ ENTRYPOINT: 'cat "$(dirname "$STATE_DIR")/file"' });
    expect((await again.finished).stdout).toBe('1\n');
  } finally {
    await store.stop();
  }
});

test('a stop while the final sync of a bot that ended by itself goes on without an end', async () => {
  const store = await startMinio({ port: await freePort() });
  try {
    const bot = await supervised(
      "trap 'echo bye; exit 0' HUP; echo 1 > file; echo up; while :; do sleep 0.05; done",
    );
    const { CODE_FILE: _, ...env } = { ...bot.env, ...store.env() };
    for (const key of Object.keys(bot.env)) delete bot.env[key];
    Object.assign(bot.env, env);
    const run = bot.start({ STOP_TIMEOUT: '1s', SYNC_INTERVAL: '1h', SYNC_ON_CHANGE: '0' });
    await run.prints('up');
    await store.pause();
    await waitForRole(run.child.pid!, 'daemon');
    run.child.kill('SIGHUP');
    await run.prints('bye');
    await sleep(1500);
    expect(run.child.exitCode).toBe(null);
    run.child.kill('SIGTERM');
    expect((await run.finished).code).toBe(74);
    expect(await bot.exitRecord()).toMatchObject({ code: 0, exit: 74, stateSaved: false });
  } finally {
    store.resume();
    await store.stop();
  }
});

test('nothing of a bot’s is left in the process table', async () => {
  const bot = await supervised('sleep 1000 & sleep 1000 & echo leader $$; exit 0');
  const end = await bot.start().finished;
  expect(botProcesses(readProcessTable(), pidIn(end.stdout, 'leader'))).toEqual([]);
});
