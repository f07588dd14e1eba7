import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { Freezer } from '../../../src/bot/state/publish/freezer.ts';
import type { Publisher } from '../../../src/bot/state/publish/publisher.ts';
import type { PublishReport } from '../../../src/bot/state/publish/publishReport.ts';
import { restoreTo } from '../../../src/bot/state/restore/restoreTo.ts';
import { signal, TestBot } from '../../unit/bot/state/support/bot.ts';
import { sqliteCheck, sqliteWriter } from '../../unit/bot/state/support/sqliteWriter.ts';

const SCALE = Number(process.env.RUNTIME_TEST_SCALE ?? 1);
const ROUNDS = Math.ceil(12 * SCALE);
const python = '/usr/bin/python3';

function freezerOf(child: ChildProcess): Freezer {
  return {
    freeze: async () => {
      child.kill('SIGSTOP');
      // Stopping takes effect when the process is next scheduled.
      for (;;) {
        const state = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]![0];
        if (state === 'T') return true;
        await delay(1);
      }
    },
    thaw: async () => void child.kill('SIGCONT'),
  };
}

async function startWriter(path: string): Promise<ChildProcess> {
  const child = spawn(python, ['-c', sqliteWriter, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout!, 'data');
  return child;
}

/** The first snapshot during which the writer had its turn: on a loaded machine it may not have it. */
async function unsettled(publisher: Publisher): Promise<PublishReport | undefined> {
  let report = await publisher.publish({ signal });
  for (let round = 1; round < 100 && report?.consistent !== false; round++)
    report = await publisher.publish({ signal });
  return report;
}

async function checkSnapshot(bot: TestBot, sequence: number | undefined, name: string): Promise<void> {
  const dir = bot.dir(name);
  const limits = { maxBytes: 1e9, maxFileBytes: undefined };
  await restoreTo(bot.context(), { dir, sequence, path: undefined, owner: undefined, ...limits, signal });
  await promisify(execFile)(python, ['-c', sqliteCheck, join(dir, 'bot.db')]);
}

test('a SQLite database in WAL mode under constant writes restores intact', {
  timeout: 300_000,
}, async () => {
  await using bot = await TestBot.open();
  const { dir, claim } = await bot.start('a');
  const child = await startWriter(join(dir, 'bot.db'));
  const consistent: number[] = [];
  let frozenMs = 0;
  try {
    const { publisher } = await bot.start('a', {
      publisher: { freezer: freezerOf(child), keep: 10 * ROUNDS },
    });
    expect(claim.generation).toBe(1);
    // Where the machine stands still, the writer may not get its turn between two, and 200 ms may be too few: that is said then.
    for (let tries = 0; tries < 10 * ROUNDS && (frozenMs === 0 || consistent.length < ROUNDS); tries++) {
      await delay(Math.random() * 30);
      const report = await publisher.publish({ signal });
      if (report?.consistent) consistent.push(report.sequence);
      frozenMs += report?.frozenMs ?? 0;
    }
  } finally {
    child.kill('SIGKILL');
  }
  expect(frozenMs).toBeGreaterThan(0);
  expect(consistent.length).toBeGreaterThanOrEqual(ROUNDS);
  for (const sequence of consistent) await checkSnapshot(bot, sequence, `at-${sequence}`);
});

test('negative control: looking once, without re-reading or freezing, does save broken databases', async () => {
  await using bot = await TestBot.open();
  const { dir } = await bot.start('a');
  const child = await startWriter(join(dir, 'bot.db'));
  let broken = 0;
  try {
    const { publisher } = await bot.start('a');
    for (let round = 1; round <= 100 && broken === 0; round++) {
      await publisher.publish({ signal, still: true });
      broken += await checkSnapshot(bot, undefined, `at-${round}`).then(
        () => 0,
        () => 1,
      );
    }
  } finally {
    child.kill('SIGKILL');
  }
  expect(broken).toBe(1);
});

test('without freezing, a state that never rests is published and said to be inconsistent', async () => {
  await using bot = await TestBot.open();
  const { dir } = await bot.start('a');
  const child = await startWriter(join(dir, 'bot.db'));
  try {
    const { publisher } = await bot.start('a');
    expect(await unsettled(publisher)).toMatchObject({ consistent: false, frozenMs: 0 });
    expect(await publisher.publish({ signal, still: true })).toMatchObject({ consistent: true });
  } finally {
    child.kill('SIGKILL');
  }
});

test('a rewrite caught between truncating and writing is looked at again', async () => {
  await using bot = await TestBot.open();
  const { dir, publisher } = await bot.start('a');
  const path = join(dir, 'positions.json');
  writeFileSync(path, '{"positions":[1,2,3]}');
  await publisher.publish({ signal });
  truncateSync(path, 0);
  const rewriting = delay(60).then(() => writeFileSync(path, '{"positions":[4]}'));
  await publisher.publish({ signal });
  await rewriting;
  const other = await bot.start('b');
  expect(readFileSync(join(other.dir, 'positions.json'), 'utf8')).toBe('{"positions":[4]}');
});

test('a file cut short on purpose is saved as it is', async () => {
  await using bot = await TestBot.open();
  const { dir, publisher } = await bot.start('a');
  writeFileSync(join(dir, 'log'), 'line\n');
  await publisher.publish({ signal });
  truncateSync(join(dir, 'log'), 0);
  expect(await publisher.publish({ signal })).toMatchObject({ consistent: true, bytes: 0 });
});

test('a bot that cannot be stopped gets an inconsistent snapshot rather than none', async () => {
  await using bot = await TestBot.open();
  const { dir } = await bot.start('a');
  const child = await startWriter(join(dir, 'bot.db'));
  try {
    let thaws = 0;
    const freezer = { freeze: async () => false, thaw: async () => void thaws++ };
    const { publisher } = await bot.start('a', { publisher: { freezer } });
    expect(await unsettled(publisher)).toMatchObject({ consistent: false });
    expect(thaws).toBeGreaterThan(0);
    expect(statSync(join(dir, 'bot.db')).size).toBeGreaterThan(0);
  } finally {
    child.kill('SIGKILL');
  }
});
