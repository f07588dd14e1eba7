import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { RuntimeError } from '../../../../../src/base/errors.ts';
import { prune } from '../../../../../src/bot/state/history/prune.ts';
import { verify } from '../../../../../src/bot/state/history/verify.ts';
import { openPublisher } from '../../../../../src/bot/state/publish/openPublisher.ts';
import { listSnapshots } from '../../../../../src/bot/state/read/snapshots.ts';
import type { ObjectStore } from '../../../../../src/store/objectStore.ts';
import { signal, TestBot } from '../support/bot.ts';
import { DyingStore } from '../support/dyingStore.ts';
import { treeOf } from '../support/treeOf.ts';

const MiB = 1024 * 1024;
const noise = (size: number) => Buffer.from(Array.from({ length: size }, () => Math.random() * 256));

/** Two snapshots of a state too large for the head, and a third tree that is not published yet. */
async function prepared(): Promise<{ bot: TestBot; before: string[]; after: string[] }> {
  const bot = await TestBot.open();
  const { dir, publisher } = await bot.start('a', { publisher: { keep: 2 } });
  mkdirSync(join(dir, 'folder'));
  writeFileSync(join(dir, 'folder/large'), noise(2 * MiB));
  writeFileSync(join(dir, 'small'), 'small');
  await publisher.publish({ signal });
  appendFileSync(join(dir, 'small'), 'er');
  await publisher.publish({ signal });
  const before = treeOf(dir);
  writeFileSync(join(dir, 'folder/other'), noise(70_000));
  rmSync(join(dir, 'small'));
  return { bot, before, after: treeOf(dir) };
}

/** Times to the nanosecond; Node's own copy rounds them. */
const copyTree = (from: string, to: string) => execFileSync('cp', ['-a', from, to]);

async function expectSound(bot: TestBot): Promise<void> {
  expect((await verify(bot.context(), { signal })).problems).toEqual([]);
}

test('a publish that dies at any call leaves the last snapshot or the new one', {
  timeout: 120_000,
}, async () => {
  const { bot, before, after } = await prepared();
  await using _ = bot;
  onTestFinished(() => rmSync(`${bot.path}-saved`, { recursive: true, force: true }));
  copyTree(bot.path, `${bot.path}-saved`);
  const seen = { old: 0, new: 0 };
  for (let at = 1, finished = false; !finished; at++) {
    for (const when of ['before', 'after'] as const) {
      const instance = await bot.start('a');
      const dying = new DyingStore(bot.store, at, when);
      const context = bot.context(dying.store);
      const limits = { maxBytes: 1e9, maxFileBytes: undefined };
      const publisher = openPublisher(context, instance.claim, {
        dir: instance.dir,
        limits,
        keep: 2,
        freezer: undefined,
      });
      const published = await publisher.publish({ signal }).catch(() => undefined);
      publisher.close();
      finished = published !== undefined && dying.calls < at;
      await expectSound(bot);
      const elsewhere = await bot.start('b');
      const tree = treeOf(elsewhere.dir);
      expect([before, after]).toContainEqual(tree);
      seen[tree.length === before.length && tree.join() === before.join() ? 'old' : 'new'] += 1;
      // Back to where it began: the store is a directory as well.
      rmSync(bot.path, { recursive: true });
      copyTree(`${bot.path}-saved`, bot.path);
    }
  }
  expect(seen.old).toBeGreaterThan(5);
  expect(seen.new).toBeGreaterThan(1);
});

test('a publish that failed is taken up by the next one of the same publisher', async () => {
  const { bot, after } = await prepared();
  await using _ = bot;
  const { claim, dir } = await bot.start('a');
  let dying = new DyingStore(bot.store, 1e9, 'before');
  const proxy = new Proxy(bot.store, { get: (_target, name) => Reflect.get(dying.store, name) });
  const limits = { maxBytes: 1e9, maxFileBytes: undefined };
  const publisher = openPublisher(bot.context(proxy), claim, { dir, limits, keep: 2, freezer: undefined });
  for (let at = 1; at < 9; at++) {
    dying = new DyingStore(bot.store, at, at % 2 ? 'before' : 'after');
    await publisher.publish({ signal }).catch(() => {});
  }
  dying = new DyingStore(bot.store, 1e9, 'before');
  await publisher.publish({ signal });
  publisher.close();
  await expectSound(bot);
  expect(treeOf((await bot.start('b')).dir)).toEqual(after);
});

test('a head that moved although its answer was lost keeps its place in the history', async () => {
  const { bot } = await prepared();
  await using _ = bot;
  const { claim, dir } = await bot.start('a');
  let isDead = false;
  const losing: ObjectStore = {
    ...bot.store,
    get: (key, options) =>
      (isDead ? new DyingStore(bot.store, 0, 'before').store : bot.store).get(key, options),
    put: async (key, body, options) => {
      const result = await bot.store.put(key, body, options);
      if (!key.endsWith('/head')) return result;
      isDead = true;
      throw new RuntimeError('unavailable', 'the answer is lost');
    },
  };
  let store = losing;
  const proxy = new Proxy(bot.store, { get: (_target, name) => Reflect.get(store, name) });
  const limits = { maxBytes: 1e9, maxFileBytes: undefined };
  const publisher = openPublisher(bot.context(proxy), claim, { dir, limits, keep: 9, freezer: undefined });
  await publisher.publish({ signal }).catch(() => {});
  store = bot.store;
  writeFileSync(join(dir, 'small'), 'after the outage');
  await publisher.publish({ signal });
  publisher.close();
  const sequences = (await listSnapshots(bot.context(), signal)).map(({ sequence }) => sequence);
  expect(sequences).toEqual([1, 2, 3, 4]);
});

test('a restore that dies at any call is done by the next start', { timeout: 60_000 }, async () => {
  const { bot, before } = await prepared();
  await using _ = bot;
  for (let at = 1, finished = false; !finished; at++) {
    for (const when of ['before', 'after'] as const) {
      const dying = new DyingStore(bot.store, at, when);
      const died = await bot.start('b', { store: dying.store }).then(
        () => false,
        () => true,
      );
      finished = !died && dying.calls < at;
      const again = await bot.start('b');
      expect(treeOf(again.dir)).toEqual(before);
      await bot.start('c');
    }
  }
});

test('pruning that dies anywhere harms nothing, and the next one collects what is left', {
  timeout: 60_000,
}, async () => {
  const { bot, before } = await prepared();
  await using _ = bot;
  // Leftovers of publishes that died, and of snapshots that are kept no longer.
  const { dir, publisher } = await bot.start('b', { publisher: { keep: 1 } });
  for (let i = 0; i < 3; i++) {
    writeFileSync(join(dir, 'x'), noise(70_000));
    await publisher.publish({ signal });
  }
  rmSync(join(dir, 'x'));
  await publisher.publish({ signal });
  for (let at = 1; at < 30; at++) {
    const dying = new DyingStore(bot.store, at, at % 2 ? 'before' : 'after');
    await prune(bot.context(dying.store), { safetyAgeMs: -1, signal }).catch(() => {});
    await expectSound(bot);
  }
  expect(await prune(bot.context(), { safetyAgeMs: -1, signal })).toMatchObject({
    deletedObjects: 0,
    youngObjects: 0,
  });
  expect(treeOf((await bot.start('c')).dir).map((line) => line.split(' ')[0])).toEqual(
    before.map((line) => line.split(' ')[0]),
  );
});
