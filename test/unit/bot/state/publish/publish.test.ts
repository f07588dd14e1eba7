import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../../../../src/base/clock.ts';
import { openPublisher } from '../../../../../src/bot/state/publish/openPublisher.ts';
import { signal, TestBot } from '../support/bot.ts';
import { treeOf } from '../support/treeOf.ts';

const MiB = 1024 * 1024;

test('what was published is there again, byte for byte', async () => {
  await using bot = await TestBot.open();
  const { dir, publisher } = await bot.start('a');
  mkdirSync(join(dir, 'deep/er/empty'), { recursive: true });
  writeFileSync(join(dir, 'deep/large'), Buffer.alloc(3 * MiB + 5, 'some text '));
  writeFileSync(join(dir, 'no bytes'), '');
  writeFileSync(join(dir, 'line\nbreak ünïcode'), 'x', { mode: 0o751 });
  writeFileSync(Buffer.from(`${dir}/\xff\xfe not utf-8`, 'latin1'), 'y');
  writeFileSync(join(dir, 'old'), 'from before 1970');
  utimesSync(join(dir, 'old'), '-86400.25', '-86400.25');
  symlinkSync('../line\nbreak ünïcode', join(dir, 'deep/link'));
  symlinkSync(join(dir, 'old'), join(dir, 'absolute'));
  chmodSync(join(dir, 'deep/er'), 0o555);
  expect(await publisher.publish({ signal })).toMatchObject({ sequence: 1, files: 5, consistent: true });

  const other = await bot.start('b');
  expect(other.report).toMatchObject({ sequence: 1, kept: false, files: 5 });
  expect(treeOf(other.dir)).toEqual(treeOf(dir).filter((line) => !line.startsWith('/absolute')));
  expect(bot.warnings).toContain('a link that leaves the state was not restored');
  chmodSync(join(dir, 'deep/er'), 0o755);
  chmodSync(join(other.dir, 'deep/er'), 0o755);
});

test('nothing changed, nothing published', async () => {
  await using bot = await TestBot.open();
  const { dir, publisher } = await bot.start('a');
  expect(await publisher.publish({ signal })).toBeUndefined();
  writeFileSync(join(dir, 'x'), 'x');
  expect(await publisher.publish({ signal })).toMatchObject({ sequence: 1 });
  expect(await publisher.publish({ signal })).toBeUndefined();
  const again = await bot.start('a');
  expect(again.report.kept).toBe(true);
  expect(await again.publisher.publish({ signal })).toBeUndefined();
  const elsewhere = await bot.start('b');
  expect(await elsewhere.publisher.publish({ signal })).toBeUndefined();
});

test('a state emptied on purpose is saved as empty', async () => {
  await using bot = await TestBot.open();
  const { dir, publisher } = await bot.start('a');
  writeFileSync(join(dir, 'x'), 'x');
  await publisher.publish({ signal });
  rmSync(join(dir, 'x'));
  expect(await publisher.publish({ signal })).toMatchObject({ sequence: 2, files: 0 });
  const other = await bot.start('b');
  expect(other.report.sequence).toBe(2);
  expect(treeOf(other.dir)).toEqual([]);
});

test('a change in a large file uploads one block of it', async () => {
  await using bot = await TestBot.open();
  const { dir, publisher } = await bot.start('a');
  const blocks = Array.from({ length: 16 }, (_, i) => Buffer.alloc(MiB, `block ${i} ${Math.random()}`));
  writeFileSync(join(dir, 'database'), Buffer.concat(blocks));
  await publisher.publish({ signal });
  appendFileSync(join(dir, 'database'), 'one more');
  const report = await publisher.publish({ signal });
  expect(report?.uploadedBytes).toBeLessThan(8 * 1024);
  expect(treeOf((await bot.start('b')).dir)).toEqual(treeOf(dir));
});

test('a state of a few small files is one object', async () => {
  await using bot = await TestBot.open();
  const { dir, publisher } = await bot.start('a');
  for (const name of ['a', 'b', 'c']) writeFileSync(join(dir, `${name}.json`), `{"${name}":1}`);
  await publisher.publish({ signal });
  expect(readdirSync(bot.object(''))).toEqual(['head']);
});

test('inline snapshots that grow too many move to objects of their own and stay restorable', async () => {
  await using bot = await TestBot.open();
  const { dir, publisher } = await bot.start('a', { publisher: { keep: 6 } });
  for (let i = 0; i < 6; i++) {
    writeFileSync(join(dir, 'noise'), Buffer.from(Array.from({ length: 50_000 }, () => Math.random() * 256)));
    await publisher.publish({ signal });
  }
  expect(readdirSync(bot.object('manifests')).length).toBeGreaterThan(0);
  expect((await bot.start('b')).report.sequence).toBe(6);
  expect(treeOf(bot.dir('b'))).toEqual(treeOf(dir));
});

test('a state moves out of the head when it grows, and back when it shrinks', async () => {
  await using bot = await TestBot.open();
  const { dir, publisher } = await bot.start('a');
  writeFileSync(join(dir, 'small'), 'small');
  await publisher.publish({ signal });
  writeFileSync(join(dir, 'large'), Buffer.alloc(200_000, 'large'));
  expect(await publisher.publish({ signal })).toMatchObject({ sequence: 2 });
  expect(treeOf((await bot.start('b')).dir)).toEqual(treeOf(dir));

  const again = await bot.start('a');
  expect(again.report).toMatchObject({ kept: false, reusedBytes: 200_005, fetchedBytes: 0 });
  truncateSync(join(dir, 'large'), 10);
  expect(await again.publisher.publish({ signal })).toMatchObject({ sequence: 3 });
  rmSync(bot.object('packs'), { recursive: true });
  expect(treeOf((await bot.start('c')).dir)).toEqual(treeOf(dir));
});

test('limits are refused before anything is uploaded', async () => {
  await using bot = await TestBot.open();
  const limits = { maxBytes: 100, maxFileBytes: 50 };
  const { dir, publisher } = await bot.start('a', { publisher: { limits } });
  writeFileSync(join(dir, 'x'), 'fine');
  await publisher.publish({ signal });
  writeFileSync(join(dir, 'x'), Buffer.alloc(51, 'x'));
  await expect(publisher.publish({ signal })).rejects.toMatchObject({ code: 'damaged', op: 'state.limit' });
  writeFileSync(join(dir, 'x'), Buffer.alloc(50, 'x'));
  writeFileSync(join(dir, 'y'), Buffer.alloc(50, 'y'));
  writeFileSync(join(dir, 'z'), 'z');
  await expect(publisher.publish({ signal })).rejects.toMatchObject({ code: 'damaged', op: 'state.limit' });
  rmSync(join(dir, 'z'));
  expect(await publisher.publish({ signal })).toMatchObject({ sequence: 2 });
});

test('a tree that was not restored for this claim is never published', async () => {
  await using bot = await TestBot.open();
  const first = await bot.start('a');
  writeFileSync(join(first.dir, 'x'), 'x');
  await first.publisher.publish({ signal });
  rmSync(join(first.dir, '.runtime-sync'), { recursive: true });
  const open = () => bot.start('a', { publisher: { dir: bot.dir('empty') } });
  mkdirSync(bot.dir('empty'));
  await expect(open()).rejects.toMatchObject({ code: 'refused' });
});

test('a directory that is replaced or gone is an error, never an empty state', async () => {
  await using bot = await TestBot.open();
  const { dir, publisher } = await bot.start('a');
  writeFileSync(join(dir, 'x'), 'x');
  await publisher.publish({ signal });
  rmSync(dir, { recursive: true });
  await expect(publisher.publish({ signal })).rejects.toMatchObject({ code: 'unsaved' });
  mkdirSync(dir);
  await expect(publisher.publish({ signal })).rejects.toMatchObject({ code: 'unsaved' });
  rmSync(dir, { recursive: true });
  symlinkSync('/', dir);
  await expect(publisher.publish({ signal })).rejects.toMatchObject({ code: 'refused' });
  await expect(bot.start('a')).rejects.toMatchObject({ code: 'refused' });
});

test('a small state in which a large file came and went while it was read is saved whole', async () => {
  await using bot = await TestBot.open();
  const { dir, claim } = await bot.start('a');
  writeFileSync(join(dir, 'small'), 'what must not be lost');
  const large = join(dir, 'large.tmp');
  const steps = [() => writeFileSync(large, Buffer.alloc(3 * MiB, 'rows of a table ')), () => rmSync(large)];
  // By this clock no time stamp ever proves anything: each look waits for another, and the bot goes on meanwhile.
  const sleep = async (ms: number) => systemClock.sleep(ms).then(steps.shift());
  const clock = { now: () => 0, elapsed: () => 0, sleep };
  const options = { dir, limits: { maxBytes: 1e9, maxFileBytes: undefined }, keep: 5, freezer: undefined };
  const publisher = openPublisher({ ...bot.context(), clock }, claim, options);
  expect(await publisher.publish({ signal })).toMatchObject({ files: 1 });
  publisher.close();
  expect(steps).toEqual([]);
  expect(treeOf((await bot.start('b')).dir)).toEqual(treeOf(dir));
});

test('a bot that stood still until the last moment: what is saved is as it was then, not as it went on', async () => {
  await using bot = await TestBot.open();
  const { dir, claim } = await bot.start('a');
  writeFileSync(join(dir, 'x'), 'before');
  // No time stamp proves anything by this clock, so the bot is stopped; what is read then takes nearly all the time there is.
  let looks = 0;
  const elapsed = () => (looks > 0 && looks++ > 1 ? 150 : 0);
  const clock = { now: () => 0, elapsed, sleep: systemClock.sleep };
  const freezer = {
    freeze: async () => {
      looks = 1;
      writeFileSync(join(dir, 'x'), 'frozen');
      return true;
    },
    thaw: async () => {
      looks = 0;
      writeFileSync(join(dir, 'x'), 'went on');
    },
  };
  const options = { dir, limits: { maxBytes: 1e9, maxFileBytes: undefined }, keep: 5, freezer };
  const publisher = openPublisher({ ...bot.context(), clock }, claim, options);
  expect(await publisher.publish({ signal })).toMatchObject({ consistent: true });
  publisher.close();
  expect(readFileSync(join((await bot.start('b')).dir, 'x'), 'utf8')).toBe('frozen');
});

test('a clock that is set back after a restore: what the bot then writes is saved, also with the size and time of before', async () => {
  await using bot = await TestBot.open();
  const first = await bot.start('a');
  const time = new Date('2026-01-01T00:00:00Z');
  const write = (dir: string, text: string) => {
    writeFileSync(join(dir, 'x'), text);
    utimesSync(join(dir, 'x'), time, time);
  };
  write(first.dir, 'before');
  await first.publisher.publish({ signal });
  // Restored by a clock that is two hours ahead of the one that the bot's files are stamped by.
  bot.clock = { ...systemClock, now: () => Date.now() + 7_200_000 };
  const second = await bot.start('b');
  write(second.dir, 'behind');
  await second.publisher.publish({ signal });
  bot.clock = systemClock;
  expect(readFileSync(join((await bot.start('c')).dir, 'x'), 'utf8')).toBe('behind');
});
