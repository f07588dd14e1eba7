import { spawn } from 'node:child_process';
import { expect, onTestFinished, test } from 'vitest';
import { createFreezer, MAX_FREEZE_MS } from '../../../../../src/agent/supervisor/life/freezer.ts';
import { botProcesses, readProcessTable } from '../../../../../src/base/process/processTree.ts';
import { signalProcess } from '../../../../../src/base/process/signalProcess.ts';

/** A real process group that runs `script`. */
async function group(script: string): Promise<number> {
  const bot = spawn('sh', ['-c', `${script}\necho up; wait`], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  onTestFinished(() => {
    // One that forks is gone, or has a child more, by the time that it is its turn.
    for (const pid of botProcesses(readProcessTable(), bot.pid!)) signalProcess(pid, 'SIGKILL');
    signalProcess(-bot.pid!, 'SIGKILL');
  });
  await new Promise((resolve) => bot.stdout.once('data', resolve));
  return bot.pid!;
}

function states(leader: number): string[] {
  const table = readProcessTable();
  const own = botProcesses(table, leader);
  return table.filter(({ pid }) => own.includes(pid)).map(({ state }) => state);
}

/** `D`: a shell whose child, made by vfork(2), was stopped before its exec; it cannot go on before that one does. */
const allStopped = (leader: number) => states(leader).every((state) => 'TD'.includes(state));

/** Without giving the event loop a turn, in which the freezer would thaw them after 200 ms. */
function soonAllStopped(leader: number): boolean {
  const until = performance.now() + 10_000;
  while (performance.now() < until) if (allStopped(leader)) return true;
  return false;
}

const noneStopped = (leader: number) => !states(leader).includes('T');

test('every process of the bot stands still, also one with a session of its own, and goes on', async () => {
  const leader = await group('sleep 1000 & setsid sleep 1000 &');
  await expect.poll(() => states(leader).length).toBe(3);
  const freezer = createFreezer(() => leader);
  expect(freezer.freeze()).toBe(true);
  expect(soonAllStopped(leader)).toBe(true);
  freezer.thaw();
  await expect.poll(() => noneStopped(leader)).toBe(true);
});

test('nobody thaws it: it goes on by itself', async () => {
  const leader = await group('sleep 1000 &');
  const freezer = createFreezer(() => leader);
  const began = performance.now();
  freezer.freeze();
  // The kernel stops a process when it is its turn.
  expect(soonAllStopped(leader)).toBe(true);
  await expect.poll(() => noneStopped(leader), { interval: 5 }).toBe(true);
  expect(performance.now() - began).toBeGreaterThan(MAX_FREEZE_MS / 2);
});

test('a bot that forks all the time is stopped as well', async () => {
  const leader = await group('(while :; do /bin/true; done) & (while :; do /bin/true; done) &');
  const freezer = createFreezer(() => leader);
  expect(freezer.freeze()).toBe(true);
  expect(soonAllStopped(leader)).toBe(true);
  freezer.thaw();
});

test('what the bot had stopped itself stays stopped', async () => {
  const leader = await group('sleep 1000 & kill -STOP $!');
  await expect.poll(() => states(leader).filter((state) => state === 'T').length).toBe(1);
  const freezer = createFreezer(() => leader);
  expect(freezer.freeze()).toBe(true);
  freezer.thaw();
  await expect.poll(() => states(leader).sort()).toEqual(['S', 'T']);
});

test('nobody there: not frozen', () => {
  expect(createFreezer(() => undefined).freeze()).toBe(false);
  expect(createFreezer(() => 2 ** 22 + 1).freeze()).toBe(false);
});
