import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { newContainer, startRuntime } from '../../support/process/executable.ts';
import { processesWith } from '../../support/process/roleOf.ts';
import { supervised } from '../../support/process/supervised.ts';
import { scaled } from '../../support/scale.ts';

test.each([
  ['that writes all the time', 'while :; do date +%N > now; sleep 0.05; done'],
  ['that changes nothing', 'while :; do sleep 0.05; done'],
])('a second instance starts: the first one, %s, stops its bot and exits 75', async (_, work) => {
  const bot = await supervised(`trap 'echo too late > lost; echo stopped; exit 0' TERM; echo up; ${work}`);
  const first = bot.start({ SYNC_INTERVAL: '500ms', SYNC_ON_CHANGE: '0' });
  await first.prints('up');
  const container = await newContainer();
  const second = startRuntime(['execute'], {
    ...bot.env,
    ...container.env,
    ENTRYPOINT: 'cd "$(dirname "$STATE_DIR")"; echo mine > second; echo two; exec sleep 60',
  });
  await second.prints('two');
  const end = await first.finished;
  expect(end.code).toBe(75);
  expect(end.stdout).toContain('stopped');
  expect(end.stderr).toContain('taken over');
  expect(await bot.exitRecord()).toMatchObject({
    source: 'runtime',
    code: 0,
    exit: 75,
    stateSaved: false,
    // The lines are the bot's, whichever instance they are from.
    logsSaved: true,
  });
  expect(second.child.exitCode).toBe(null);
  second.child.kill('SIGTERM');
  expect((await second.finished).code).toBe(143);
  expect(await bot.saved('ls; cat second')).toMatch(/^(now\n)?second\nmine\n$/);
});

const ROUNDS = scaled(2);

test('several start at the same moment: exactly one lives on, and the state is what it wrote', {
  timeout: 60_000 + ROUNDS * 15_000,
}, async () => {
  for (let round = 0; round < ROUNDS; round += 1) {
    const bot = await supervised('');
    const runs = await Promise.all(
      // Two as often as three.
      ['a', 'b', 'c'].slice(round % 2).map(async (name) => {
        const container = await newContainer();
        const run = startRuntime(['execute'], {
          ...bot.env,
          ...container.env,
          SYNC_INTERVAL: '300ms',
          SYNC_ON_CHANGE: '0',
          ENTRYPOINT: `cd "$(dirname "$STATE_DIR")"; while :; do echo ${name} >> ${name}; sleep 0.02; done`,
        });
        return { ...run, file: join(container.root, 'state', name), name };
      }),
    );
    const living = () => runs.filter(({ child }) => child.exitCode === null);
    await expect.poll(() => living().length, { timeout: 40_000 }).toBe(1);
    for (const run of runs) if (!living().includes(run)) expect((await run.finished).code).toBe(75);
    const winner = living()[0]!;
    winner.child.kill('SIGTERM');
    expect((await winner.finished).code).toBe(143);
    // To the last line. What another one published before it was fenced is part of what the winner began with, or is not there.
    expect(await bot.saved(`cat ${winner.name}`)).toBe(readFileSync(winner.file, 'utf8'));
    expect(processesWith(`BOT_ID=${bot.env.BOT_ID}\0`)).toEqual([]);
  }
});

test('an instance that comes while the first one saves for the last time wins', async () => {
  const bot = await supervised('echo 1 > file; echo up; exec sleep 60');
  const first = bot.start({ SYNC_INTERVAL: '1h', SYNC_ON_CHANGE: '0' });
  await first.prints('up');
  const container = await newContainer();
  const second = startRuntime(['execute'], {
    ...bot.env,
    ...container.env,
    ENTRYPOINT: 'echo two; exec sleep 60',
  });
  await second.prints('two');
  first.child.kill('SIGTERM');
  expect((await first.finished).code).toBe(75);
  expect(await bot.exitRecord()).toMatchObject({
    signal: 'SIGTERM',
    exit: 75,
    stateSaved: false,
    logsSaved: true,
  });
  second.child.kill('SIGTERM');
  await second.finished;
  expect(await bot.saved('ls')).toBe('');
});
