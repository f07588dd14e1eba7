import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { claim } from '../../../../../src/bot/state/claim/claim.ts';
import type { ObjectBody, ObjectStore } from '../../../../../src/store/objectStore.ts';
import { signal, TestBot } from '../support/bot.ts';
import { treeOf } from '../support/treeOf.ts';

/** A gateway: what it is told to treat so is acknowledged, and stored as `changed` says; undefined: not at all. */
function gateway(
  store: ObjectStore,
  what: () => RegExp,
  changed: (body: ObjectBody) => Buffer | undefined,
): ObjectStore {
  return {
    ...store,
    put: async (key, body, options) => {
      if (!what().test(key)) return await store.put(key, body, options);
      const bytes = changed(body);
      if (bytes) await store.put(key, bytes);
      return { etag: 'as if' };
    },
  };
}

const never = /^$/;

test.each<[string, RegExp, (body: ObjectBody) => Buffer | undefined]>([
  ['a pack is swallowed', /\/packs\//, () => undefined],
  ['a manifest is swallowed', /\/manifests\//, () => undefined],
  ['a pack is cut short', /\/packs\//, (body) => Buffer.from(body as Uint8Array).subarray(1)],
  ['a pack is other bytes', /\/packs\//, (body) => randomBytes((body as Uint8Array).length)],
  ['the head is swallowed', /\/head$/, () => undefined],
])(
  '%s by what has acknowledged it: the head does not move, and the next publish saves all',
  async (_, what, changed) => {
    await using bot = await TestBot.open();
    let lie = never;
    const store = gateway(bot.store, () => lie, changed);
    const { dir, publisher } = await bot.start('a', { store });
    writeFileSync(join(dir, 'large'), randomBytes(200_000));
    await publisher.publish({ signal });
    const head = readFileSync(bot.object('head'));
    lie = what;
    writeFileSync(join(dir, 'more'), randomBytes(200_000));
    await expect(publisher.publish({ signal })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('does not read back as it was sent'),
    });
    expect(readFileSync(bot.object('head'))).toEqual(head);
    lie = never;
    expect(await publisher.publish({ signal })).toMatchObject({ sequence: 2 });
    expect(treeOf((await bot.start('b')).dir)).toEqual(treeOf(dir));
    expect(bot.warnings).toEqual([]);
  },
);

test('what a failed publish has put and nobody has confirmed is confirmed before a later one refers to it', async () => {
  await using bot = await TestBot.open();
  let isDown = false;
  const store: ObjectStore = {
    ...bot.store,
    put: async (key, body, options) => {
      if (isDown && key.includes('/packs/')) return { etag: 'as if' };
      if (isDown && key.includes('/manifests/')) throw new Error('the network is gone');
      return await bot.store.put(key, body, options);
    },
  };
  const { dir, publisher } = await bot.start('a', { store });
  writeFileSync(join(dir, 'large'), randomBytes(200_000));
  isDown = true;
  await expect(publisher.publish({ signal })).rejects.toThrow('the network is gone');
  isDown = false;
  await expect(publisher.publish({ signal })).rejects.toMatchObject({ code: 'unavailable' });
  expect(await publisher.publish({ signal })).toMatchObject({ sequence: 1 });
  expect(treeOf((await bot.start('b')).dir)).toEqual(treeOf(dir));
});

test('a store that tells no checksums is asked for the bytes', async () => {
  await using bot = await TestBot.open();
  const asked: string[] = [];
  const store: ObjectStore = {
    ...bot.store,
    head: (key, { signal } = {}) => bot.store.head(key, { signal }),
    get: (key, options) => {
      asked.push(key);
      return bot.store.get(key, options);
    },
  };
  const { dir, publisher } = await bot.start('a', { store });
  writeFileSync(join(dir, 'large'), randomBytes(200_000));
  asked.length = 0;
  await publisher.publish({ signal });
  expect(asked.filter((key) => key.includes('/packs/'))).toHaveLength(2);
  expect(asked.filter((key) => key.includes('/manifests/'))).toHaveLength(1);
});

test('an instance that takes over right after a save does not undo it', async () => {
  await using bot = await TestBot.open();
  const { dir, publisher } = await bot.start('a');
  writeFileSync(join(dir, 'x'), 'first');
  await publisher.publish({ signal });
  let takesOver = false;
  const store: ObjectStore = {
    ...bot.store,
    put: async (key, body, options) => {
      const result = await bot.store.put(key, body, options);
      if (takesOver && key.endsWith('/head')) {
        takesOver = false;
        await claim(bot.context(), { holder: 'another', signal });
      }
      return result;
    },
  };
  const again = await bot.start('a', { store });
  await again.publisher.prepare({ signal });
  writeFileSync(join(dir, 'x'), 'saved');
  takesOver = true;
  expect(await again.publisher.publish({ signal })).toMatchObject({ sequence: 2 });
  await expect(again.publisher.checkGeneration({ signal })).rejects.toMatchObject({ code: 'fenced' });
  await bot.start('b');
  expect(readFileSync(join(bot.dir('b'), 'x'), 'utf8')).toBe('saved');
});
