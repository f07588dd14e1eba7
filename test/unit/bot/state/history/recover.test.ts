import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { observe } from '../../../../../src/bot/state/claim/claim.ts';
import { recover } from '../../../../../src/bot/state/history/recover.ts';
import { verify } from '../../../../../src/bot/state/history/verify.ts';
import { signal, TestBot } from '../support/bot.ts';
import { treeOf } from '../support/treeOf.ts';

/** With three snapshots in packs, and what the first and the last of them were. */
async function botWithHistory() {
  const bot = await TestBot.openHasty();
  const { dir, publisher } = await bot.start('a');
  const trees = [];
  for (const name of ['one', 'two', 'three']) {
    writeFileSync(join(dir, name), randomBytes(100_000));
    await publisher.publish({ signal });
    trees.push(treeOf(dir));
  }
  return { bot, trees };
}

const manifests = (bot: TestBot) => readdirSync(bot.object('manifests')).sort();

test('a head that is gone beside manifests or packs stops the start and says what to do', async () => {
  const { bot } = await botWithHistory();
  await using _ = bot;
  rmSync(bot.object('head'));
  const damaged = { code: 'damaged', hint: expect.stringContaining('runtime state recover bot-1') };
  await expect(bot.start('b')).rejects.toMatchObject(damaged);
  await expect(observe(bot.context(), { signal })).rejects.toMatchObject(damaged);
  rmSync(bot.object('manifests'), { recursive: true });
  await expect(bot.start('b')).rejects.toMatchObject(damaged);
  expect(existsSync(bot.object('head'))).toBe(false);
  // Negative control: what is not part of the state is no reason.
  rmSync(bot.object('packs'), { recursive: true });
  await bot.store.put('bot-1/outputs/report', Buffer.from('of a task'));
  expect((await bot.start('b')).report.sequence).toBe(0);
});

test('a recovered head has the newest snapshots that are whole, and the next start restores from it', async () => {
  const { bot, trees } = await botWithHistory();
  await using _ = bot;
  rmSync(bot.object('head'));
  const { snapshots, damaged } = await recover(bot.context(), { keep: 2, signal });
  expect(snapshots.map(({ sequence }) => sequence)).toEqual([2, 3]);
  expect(damaged).toEqual([]);
  const { report } = await bot.start('b');
  expect(report).toMatchObject({ sequence: 3, files: 3 });
  expect(treeOf(bot.dir('b'))).toEqual(trees[2]);
  expect((await verify(bot.context(), { signal })).problems).toEqual([]);
});

test('what is not whole is left out and named: a manifest, a pack', async () => {
  const { bot, trees } = await botWithHistory();
  await using _ = bot;
  const [, two, three] = manifests(bot);
  writeFileSync(bot.object(`manifests/${three}`), 'damaged');
  const head = JSON.parse(readFileSync(bot.object('head'), 'utf8'));
  rmSync(bot.object('head'));
  expect(head.snapshots[1].manifest).toBe(two);
  const { snapshots, damaged } = await recover(bot.context(), { keep: 10, signal });
  expect(snapshots.map(({ sequence }) => sequence)).toEqual([1, 2]);
  expect(damaged).toEqual([{ manifest: three, reason: expect.stringContaining('not what they were') }]);
  await bot.start('b');
  expect(treeOf(bot.dir('b'))).toEqual(trees[1]);

  rmSync(bot.object('head'));
  for (const pack of readdirSync(bot.object('packs'))) rmSync(bot.object(`packs/${pack}`));
  await expect(recover(bot.context(), { keep: 10, signal })).rejects.toMatchObject({ code: 'not-found' });
  expect(existsSync(bot.object('head'))).toBe(false);
});

test('a head that is good is not replaced, one that is damaged is', async () => {
  const { bot, trees } = await botWithHistory();
  await using _ = bot;
  await expect(recover(bot.context(), { keep: 10, signal })).rejects.toMatchObject({ code: 'refused' });
  const text = readFileSync(bot.object('head'), 'utf8');
  writeFileSync(bot.object('head'), text.replace('"format":1', '"format":7'));
  await expect(recover(bot.context(), { keep: 10, signal })).rejects.toMatchObject({ code: 'damaged' });
  writeFileSync(bot.object('head'), text.replace('"sequence":3', '"sequence":4'));
  await recover(bot.context(), { keep: 10, signal });
  await bot.start('b');
  expect(treeOf(bot.dir('b'))).toEqual(trees[2]);
});

test('no generation comes again: older instances are fenced, and older local trees are replaced', async () => {
  const { bot, trees } = await botWithHistory();
  await using _ = bot;
  const running = await bot.start('c');
  writeFileSync(join(bot.dir('c'), 'one'), 'never saved');
  rmSync(bot.object('head'));
  await recover(bot.context(), { keep: 10, signal });
  await expect(running.publisher.publish({ signal })).rejects.toMatchObject({ code: 'fenced' });
  const again = await bot.start('c');
  expect(again.report).toMatchObject({ kept: false, sequence: 3 });
  expect(again.claim.generation).toBeGreaterThan(running.claim.generation);
  expect(treeOf(bot.dir('c'))).toEqual(trees[2]);
});
