import { randomBytes } from 'node:crypto';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { publishAgain } from '../../../../../src/bot/state/history/publishAgain.ts';
import { verify } from '../../../../../src/bot/state/history/verify.ts';
import { listSnapshots } from '../../../../../src/bot/state/read/snapshots.ts';
import { signal, TestBot } from '../support/bot.ts';
import { treeOf } from '../support/treeOf.ts';

/** Three snapshots, and what each of them was. */
async function botWithHistory(bytes: number) {
  const bot = await TestBot.open();
  const { dir, publisher } = await bot.start('a');
  const trees = [];
  for (const name of ['one', 'two', 'three']) {
    writeFileSync(join(dir, name), randomBytes(bytes));
    await publisher.publish({ signal });
    trees.push(treeOf(dir));
  }
  return { bot, trees, dir, publisher };
}

const sequences = async (bot: TestBot) =>
  (await listSnapshots(bot.context(), signal)).map(({ sequence }) => sequence);

for (const [where, bytes] of [
  ['in packs', 100_000],
  ['in the head', 100],
] as const) {
  test(`an older snapshot ${where} is the newest again, and those after it stay`, async () => {
    const { bot, trees, dir, publisher } = await botWithHistory(bytes);
    await using _ = bot;
    const record = await publishAgain(bot.context(), { sequence: 1, holder: 'operator', signal });
    expect(record.sequence).toBe(4);
    expect(await sequences(bot)).toEqual([1, 2, 3, 4]);
    expect((await verify(bot.context(), { signal })).problems).toEqual([]);
    // Whoever had the bot is fenced, so nothing is published over it.
    writeFileSync(join(dir, 'late'), 'x');
    await expect(publisher.publish({ signal })).rejects.toMatchObject({ code: 'fenced' });
    // Also where the newer tree still lies.
    const { report } = await bot.start('a');
    expect(report).toMatchObject({ sequence: 4 });
    expect(treeOf(bot.dir('a'))).toEqual(trees[0]);
  });
}

test('a second call of the same holder changes nothing, another holder publishes once more', async () => {
  const { bot } = await botWithHistory(100_000);
  await using _ = bot;
  for (const holder of ['h', 'h']) await publishAgain(bot.context(), { sequence: 1, holder, signal });
  expect(await sequences(bot)).toEqual([1, 2, 3, 4]);
  await publishAgain(bot.context(), { sequence: 1, holder: 'other', signal });
  expect(await sequences(bot)).toEqual([1, 2, 3, 4, 5]);
});

test('what is not there, or not whole, changes nothing', async () => {
  const { bot } = await botWithHistory(100_000);
  await using _ = bot;
  const again = (sequence: number) => publishAgain(bot.context(), { sequence, holder: 'h', signal });
  await expect(again(9)).rejects.toMatchObject({
    code: 'not-found',
    hint: expect.stringContaining('1, 2, 3'),
  });
  for (const pack of readdirSync(bot.object('packs'))) rmSync(bot.object(`packs/${pack}`));
  await expect(again(1)).rejects.toMatchObject({ code: 'damaged' });
  expect(await sequences(bot)).toEqual([1, 2, 3]);
});
