import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { prune } from '../../../src/bot/state/history/prune.ts';
import { verify } from '../../../src/bot/state/history/verify.ts';
import type { ObjectStore } from '../../../src/store/objectStore.ts';
import { openBackend } from '../../contract/backends.ts';
import { signal, TestBot } from '../../unit/bot/state/support/bot.ts';
import { checkRandomLives } from '../../unit/bot/state/support/randomLives.ts';
import { treeOf } from '../../unit/bot/state/support/treeOf.ts';

const SCALE = Number(process.env.RUNTIME_TEST_SCALE ?? 1);

test('whatever happens to the tree, what is restored is what was published', {
  timeout: 600_000,
}, async () => {
  const backend = await openBackend('s3');
  let bots = 0;
  await checkRandomLives(() => TestBot.open(() => backend.store, `bot-${++bots}`), Math.ceil(10 * SCALE));
  backend.store.close();
  await backend.remove();
});

test('a state of three small files takes a GET and a PUT to start, a PUT to save, and a HEAD that says so', async () => {
  const backend = await openBackend('s3');
  const calls: string[] = [];
  const counting = new Proxy(backend.store, {
    get: (store, name: keyof ObjectStore) => {
      if (name === 'name') return store.name;
      return (...args: never[]) => {
        calls.push(name);
        return Reflect.apply(store[name] as () => unknown, store, args);
      };
    },
  });
  await using bot = await TestBot.open(() => counting);
  const { dir, publisher } = await bot.start('a');
  for (const name of ['a', 'b', 'c']) writeFileSync(join(dir, `${name}.json`), '{}');
  await publisher.publish({ signal });

  calls.length = 0;
  const again = await bot.start('b');
  expect(calls).toEqual(['get', 'put']);
  await again.publisher.prepare({ signal });
  calls.length = 0;
  writeFileSync(join(again.dir, 'a.json'), '{"a":1}');
  await again.publisher.publish({ signal });
  expect(calls).toEqual(['put', 'head']);
  await backend.remove();
});

test('pruning and verifying work on a real bucket', async () => {
  const backend = await openBackend('s3');
  await using bot = await TestBot.open(() => backend.store);
  const { dir, publisher } = await bot.start('a', { publisher: { keep: 1 } });
  for (let i = 0; i < 3; i++) {
    writeFileSync(join(dir, 'x'), Buffer.alloc(70_000, `${i}`));
    await publisher.publish({ signal });
  }
  expect(await prune(bot.context(), { safetyAgeMs: -5000, signal })).toMatchObject({ deletedObjects: 6 });
  expect((await verify(bot.context(), { signal })).problems).toEqual([]);
  expect(treeOf((await bot.start('b')).dir)).toEqual(treeOf(dir));
  await backend.remove();
});
