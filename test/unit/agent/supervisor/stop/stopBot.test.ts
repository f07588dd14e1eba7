import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { type BotProcess, startBot } from '../../../../../src/agent/supervisor/life/botProcess.ts';
import { endLeftovers, stopBot } from '../../../../../src/agent/supervisor/stop/stopBot.ts';
import { startStop } from '../../../../../src/agent/supervisor/stop/stopBudget.ts';
import { systemClock } from '../../../../../src/base/clock.ts';
import { botProcesses, readProcessTable } from '../../../../../src/base/process/processTree.ts';
import { temporaryDirectory } from '../../../../support/files/temporary.ts';

const never = new AbortController().signal;

async function run(script: string): Promise<BotProcess> {
  const launch = { argv: ['/bin/sh', '-c', script], env: {}, cwd: '/', control: undefined };
  const env = { PATH: process.env.PATH ?? '' };
  const bot = startBot({ launch, env, user: undefined, pipes: undefined });
  onTestFinished(() => {
    for (const pid of botProcesses(readProcessTable(), bot.pid!)) process.kill(pid, 'SIGKILL');
  });
  const [stdout, stderr] = [bot.stdout as Readable, bot.stderr as Readable];
  stderr.resume();
  await new Promise((resolve) => stdout.once('data', resolve));
  return bot;
}

const left = (bot: BotProcess) => botProcesses(readProcessTable(), bot.pid!);

test('a shell that ends at once does not cost its program the grace', async () => {
  const dir = await temporaryDirectory();
  const file = join(dir, 'last-words');
  const program = `trap 'sleep 0.3; echo saved > ${file}; exit 0' TERM; echo up; while :; do sleep 0.05; done`;
  const bot = await run(`sh -c "${program}" & wait`);
  await stopBot(bot, startStop(systemClock.elapsed(), 30_000), { clock: systemClock, hurried: never });
  expect(await readFile(file, 'utf8')).toBe('saved\n');
  expect(left(bot)).toEqual([]);
});

test('one that ignores SIGTERM is killed when its grace is over, with its descendants wherever they are', async () => {
  const bot = await run(
    "trap '' TERM; setsid sleep 1000 & sleep 1000 & echo up; while :; do sleep 0.1; done",
  );
  await expect.poll(() => left(bot).length).toBeGreaterThanOrEqual(3);
  const before = left(bot);
  await stopBot(bot, startStop(systemClock.elapsed(), 500), { clock: systemClock, hurried: never });
  expect(await bot.ended).toMatchObject({ code: null, signal: 'SIGKILL' });
  const gone = () =>
    readProcessTable()
      .filter(({ pid, state }) => before.includes(pid) && state !== 'Z')
      .map(({ pid }) => pid);
  await expect.poll(gone).toEqual([]);
});

test('hurried: the grace ends at once', async () => {
  const bot = await run("trap '' TERM; echo up; while :; do sleep 0.05; done");
  const hurried = new AbortController();
  const stopped = stopBot(bot, startStop(systemClock.elapsed(), 3_600_000), {
    clock: systemClock,
    hurried: hurried.signal,
  });
  hurried.abort();
  await stopped;
  expect(await bot.ended).toMatchObject({ signal: 'SIGKILL' });
});

test('one that stands still sees its SIGTERM', async () => {
  const bot = await run('echo up; exec sleep 1000');
  process.kill(bot.pid!, 'SIGSTOP');
  await stopBot(bot, startStop(systemClock.elapsed(), 3_600_000), { clock: systemClock, hurried: never });
  expect(await bot.ended).toMatchObject({ signal: 'SIGTERM' });
});

test('a real child of nobody: what is not ours is left alone', async () => {
  const other = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' });
  onTestFinished(() => void other.kill('SIGKILL'));
  const bot = await run('echo up; exec sleep 1000');
  await stopBot(bot, startStop(systemClock.elapsed(), 1000), { clock: systemClock, hurried: never });
  expect(readProcessTable().some(({ pid }) => pid === other.pid)).toBe(true);
});

test('what the bot has left gets no more than the time that there is', async () => {
  const bot = await run("(trap '' TERM; while :; do sleep 0.05; done) & echo up");
  await bot.ended;
  expect(left(bot)).not.toEqual([]);
  // A clock that nobody moves: the usual second would never be over.
  const sleep = () => new Promise<void>((resolve) => setTimeout(resolve, 5));
  const clock = { now: () => 0, elapsed: () => 0, sleep };
  await endLeftovers(bot, () => [], { clock, hurried: never, graceMs: 0 });
  await expect.poll(() => left(bot)).toEqual([]);
});

test('a clock that is set forward meanwhile takes nothing of the grace', async () => {
  const dir = await temporaryDirectory();
  const file = join(dir, 'last-words');
  const bot = await run(
    `trap 'sleep 0.3; echo saved > ${file}; exit 0' TERM; echo up; while :; do sleep 0.05; done`,
  );
  const clock = { ...systemClock, now: () => Date.now() + 3_600_000 };
  await stopBot(bot, startStop(systemClock.elapsed(), 30_000), { clock, hurried: never });
  expect(await readFile(file, 'utf8')).toBe('saved\n');
});
