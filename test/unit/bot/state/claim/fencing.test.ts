import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { claim, parseClaim, resumeClaim, serializeClaim } from '../../../../../src/bot/state/claim/claim.ts';
import { openPublisher } from '../../../../../src/bot/state/publish/openPublisher.ts';
import type { ObjectStore } from '../../../../../src/store/objectStore.ts';
import { signal, TestBot } from '../support/bot.ts';
import { DyingStore } from '../support/dyingStore.ts';
import { treeOf } from '../support/treeOf.ts';

const fenced = expect.objectContaining({ name: 'RuntimeError', code: 'fenced' });

/** A store that does as if conditions were not there. */
function unconditional(store: ObjectStore): ObjectStore {
  return {
    ...store,
    put: (key, body, options) =>
      store.put(key, body, { ...options, ifMatch: undefined, ifNoneMatch: undefined }),
  };
}

test('an older instance is refused, and says so without publishing anything', async () => {
  await using bot = await TestBot.open();
  const older = await bot.start('a');
  const newer = await bot.start('b');
  writeFileSync(join(older.dir, 'x'), 'older');
  writeFileSync(join(newer.dir, 'x'), 'newer');
  await expect(older.publisher.checkGeneration({ signal })).rejects.toEqual(fenced);
  await expect(older.publisher.publish({ signal })).rejects.toEqual(fenced);
  await newer.publisher.publish({ signal });
  await newer.publisher.checkGeneration({ signal });
  await expect(older.publisher.publish({ signal })).rejects.toEqual(fenced);
  expect(treeOf((await bot.start('c')).dir)).toEqual(treeOf(newer.dir));
});

test('eight start at once: each has a generation of its own, and one can publish', async () => {
  await using bot = await TestBot.open();
  const claims = await Promise.all(
    Array.from({ length: 8 }, (_, i) => claim(bot.context(), { holder: `holder-${i}`, signal })),
  );
  expect(claims.map(({ generation }) => generation).sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  const alive: number[] = [];
  for (const { generation, holder } of claims) {
    await resumeClaim(bot.context(), { generation, holder }, signal).then(
      () => alive.push(generation),
      (error: unknown) => expect(error).toEqual(fenced),
    );
  }
  expect(alive).toEqual([8]);
});

test('a claim whose answer was lost is known for our own', async () => {
  await using bot = await TestBot.open();
  await bot.start('a');
  let call = 0;
  const losing: ObjectStore = {
    ...bot.store,
    put: async (key, body, options) => {
      const result = await bot.store.put(key, body, options);
      if (++call === 1) await new DyingStore(bot.store, 1, 'before').store.head(key);
      return result;
    },
  };
  expect(await claim(bot.context(losing), { holder: 'unlucky', signal })).toMatchObject({ generation: 2 });
});

test('a store that ignores conditions is found out, warned of, and fenced by looking', async () => {
  await using bot = await TestBot.open();
  const store = unconditional(bot.store);
  const older = await bot.start('a', { store });
  writeFileSync(join(older.dir, 'x'), 'older');
  expect(await older.publisher.publish({ signal })).toMatchObject({ sequence: 1 });
  expect(bot.warnings).toEqual(['the store ignores conditional writes: fencing is weaker']);
  const newer = await bot.start('b', { store });
  writeFileSync(join(older.dir, 'x'), 'older still');
  await expect(older.publisher.publish({ signal })).rejects.toEqual(fenced);
  expect(treeOf((await bot.start('c')).dir)).toEqual(treeOf(newer.dir));
});

test('a claim goes to another process as text', async () => {
  await using bot = await TestBot.open();
  const { claim: taken, dir } = await bot.start('a');
  const copy = parseClaim(JSON.parse(JSON.stringify(serializeClaim(taken))), bot.name);
  expect(copy).toEqual(taken);
  const limits = { maxBytes: 1e6, maxFileBytes: undefined };
  const publisher = openPublisher(bot.context(), copy, { dir, limits, keep: 1, freezer: undefined });
  writeFileSync(join(dir, 'x'), 'x');
  expect(await publisher.publish({ signal })).toMatchObject({ sequence: 1 });
  publisher.close();
});
