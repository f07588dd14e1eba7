import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { claim, observe } from '../../../../../../src/bot/state/claim/claim.ts';
import { claimLocal } from '../../../../../../src/bot/state/claim/claimLocal.ts';
import { restore } from '../../../../../../src/bot/state/restore/restore.ts';
import type { ObjectStore } from '../../../../../../src/store/objectStore.ts';
import { signal, TestBot } from '../../support/bot.ts';
import { treeOf } from '../../support/treeOf.ts';

/** `a` holds what the first instance left; another one has saved more since, elsewhere. */
async function movedOn(): Promise<TestBot> {
  const bot = await TestBot.open();
  for (const [place, text] of [['a', 'old'] as const, ['b', 'new'] as const]) {
    const { dir, publisher } = await bot.start(place);
    writeFileSync(join(dir, 'x'), text);
    await publisher.publish({ signal });
  }
  return bot;
}

test('a start that died right after its claim: the tree that it would have kept is kept by the next', async () => {
  await using bot = await TestBot.open();
  const { dir } = await bot.start('a');
  writeFileSync(join(dir, 'x'), 'not saved yet');
  for (const holder of ['first', 'second']) await claim(bot.context(), { holder, dir, signal });
  expect((await bot.start('a')).report.kept).toBe(true);
});

test('a start that died right after its claim: the tree that it would have replaced is replaced by the next', async () => {
  await using bot = await movedOn();
  const dir = bot.dir('a');
  for (const holder of ['first', 'second']) await claim(bot.context(), { holder, dir, signal });
  await expect(claimLocal(bot.context(), { holder: 'sidecar', dir, signal })).rejects.toMatchObject({
    code: 'fenced',
  });
  expect((await bot.start('a')).report).toMatchObject({ kept: false, sequence: 2 });
  expect(readFileSync(join(dir, 'x'), 'utf8')).toBe('new');
});

test.each(['claim', 'claimLocal'])(
  '%s: somebody else was faster, and the tree is no longer the newest',
  async (verb) => {
    await using bot = await TestBot.open();
    const { dir } = await bot.start('a');
    let reads = 0;
    const store: ObjectStore = {
      ...bot.store,
      get: async (key, options) => {
        const object = await bot.store.get(key, options);
        // Right behind the last look before the claim.
        if (++reads === (verb === 'claim' ? 1 : 2)) await bot.start('b');
        return object;
      },
    };
    const options = { holder: 'slow', dir, signal };
    if (verb === 'claim') expect((await claim(bot.context(store), options)).previous.generation).toBe(2);
    else await expect(claimLocal(bot.context(store), options)).rejects.toMatchObject({ code: 'fenced' });
    expect((await bot.start('a')).report.kept).toBe(false);
  },
);

test('who only looks gets what is saved, also where somebody has looked before', async () => {
  await using bot = await TestBot.open();
  const { dir, publisher } = await bot.start('a');
  const place = { dir: bot.dir('query'), owner: undefined, maxBytes: 1e9, maxFileBytes: undefined, signal };
  for (const text of ['old', 'new']) {
    writeFileSync(join(dir, 'x'), text);
    await publisher.publish({ signal });
    await restore(bot.context(), await observe(bot.context(), { signal }), place);
    expect(treeOf(place.dir)).toEqual(treeOf(dir));
    writeFileSync(join(place.dir, 'y'), 'written by the query');
  }
});
