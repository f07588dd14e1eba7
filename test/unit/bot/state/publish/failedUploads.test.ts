import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RuntimeError } from '../../../../../src/base/errors.ts';
import type { ObjectStore } from '../../../../../src/store/objectStore.ts';
import { signal, TestBot } from '../support/bot.ts';
import { treeOf } from '../support/treeOf.ts';

/** Refuses the `nth` pack that it is to take. */
function refusing(inner: ObjectStore, nth: number): ObjectStore & { readonly refused: () => number } {
  let packs = 0;
  return {
    ...inner,
    put: (key, body, options) => {
      if (key.includes('/packs/') && ++packs === nth)
        return Promise.reject(new RuntimeError('unavailable', 'no', { op: 'store.put' }));
      return inner.put(key, body, options);
    },
    refused: () => (packs >= nth ? 1 : 0),
  };
}

// Blobs and segments go up at the same time: the first two packs are one of each.
test.each([1, 2])('pack %i cannot be put: the next save does not refer to it', async (nth) => {
  await using bot = await TestBot.open();
  const store = refusing(bot.store, nth);
  const { dir, publisher } = await bot.start('a', { store });
  for (let i = 0; i < 300; i++) writeFileSync(join(dir, `file ${i}`), `${i}`.repeat(1000));
  await expect(publisher.publish({ signal })).rejects.toMatchObject({ code: 'unavailable' });
  expect(store.refused()).toBe(1);
  expect(await publisher.publish({ signal })).toMatchObject({ sequence: 1, files: 300 });
  expect(treeOf((await bot.start('b')).dir)).toEqual(treeOf(dir));
});
