import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RuntimeError } from '../../../../../src/base/errors.ts';
import { MAX_KEEP } from '../../../../../src/bot/config/variables.ts';
import { FORMAT, HEAD_LIMIT_BYTES } from '../../../../../src/bot/state/format/format.ts';
import { encodeHead } from '../../../../../src/bot/state/format/head.ts';
import { diffSnapshots } from '../../../../../src/bot/state/history/diffSnapshots.ts';
import { prune } from '../../../../../src/bot/state/history/prune.ts';
import { showSnapshot } from '../../../../../src/bot/state/history/showSnapshot.ts';
import { verify } from '../../../../../src/bot/state/history/verify.ts';
import { listSnapshots } from '../../../../../src/bot/state/read/snapshots.ts';
import { restoreTo } from '../../../../../src/bot/state/restore/restoreTo.ts';
import type { ObjectStore } from '../../../../../src/store/objectStore.ts';
import { signal, TestBot } from '../support/bot.ts';
import { treeOf } from '../support/treeOf.ts';

const limits = { owner: undefined, maxBytes: 1e9, maxFileBytes: undefined, signal };

test('the head names as many snapshots as are to be kept, the newest ones', async () => {
  await using bot = await TestBot.open();
  const { dir, publisher } = await bot.start('a', { publisher: { keep: 3 } });
  for (let i = 1; i <= 5; i++) {
    writeFileSync(join(dir, 'x'), `${i}`);
    await publisher.publish({ signal });
  }
  const snapshots = await listSnapshots(bot.context(), signal);
  expect(snapshots.map(({ sequence }) => sequence)).toEqual([3, 4, 5]);
  await expect(showSnapshot(bot.context(), 2, signal)).rejects.toMatchObject({
    code: 'not-found',
    hint: /3, 4, 5/,
  });
});

test('a head that names as many snapshots as anyone can have kept can be read', () => {
  const most = Number.MAX_SAFE_INTEGER;
  const record = {
    sequence: most,
    generation: most,
    createdAt: new Date(0).toISOString(),
    files: most,
    bytes: most,
    consistent: false,
    manifest: `${most}-${'0'.repeat(64)}`,
  };
  const counts = { format: FORMAT, generation: most, sequence: most } as const;
  const text = { bot: 'b'.repeat(128), holder: 'h'.repeat(128), updatedAt: record.createdAt, legacy: false };
  const snapshots = Array.from({ length: MAX_KEEP }, () => record);
  expect(encodeHead({ ...counts, ...text, snapshots, blobs: {} }).length).toBeLessThan(HEAD_LIMIT_BYTES);
});

test('what a snapshot holds, and what differs between two', async () => {
  await using bot = await TestBot.open();
  const { dir, publisher } = await bot.start('a');
  for (const name of ['same', 'content', 'mode', 'removed', 'type', 'time']) {
    writeFileSync(join(dir, name), name);
    utimesSync(join(dir, name), 1000, 1000);
  }
  await publisher.publish({ signal });
  writeFileSync(join(dir, 'content'), 'CONTENT');
  utimesSync(join(dir, 'content'), 1000, 1000);
  chmodSync(join(dir, 'mode'), 0o600);
  utimesSync(join(dir, 'time'), 2000, 2000);
  rmSync(join(dir, 'removed'));
  rmSync(join(dir, 'type'));
  symlinkSync('same', join(dir, 'type'));
  writeFileSync(join(dir, 'added'), 'added');
  await publisher.publish({ signal });

  const found = await diffSnapshots(bot.context(), { from: 1, to: undefined }, signal);
  expect(found.map(({ path, change, what }) => [path, change, ...what])).toEqual([
    ['added', 'added'],
    ['content', 'changed', 'content'],
    ['mode', 'changed', 'mode'],
    ['removed', 'removed'],
    ['time', 'changed', 'time'],
    ['type', 'changed', 'type'],
  ]);
  const shown = await showSnapshot(bot.context(), 1, signal);
  expect(shown.entries[0]).toMatchObject({ path: 'content', type: 'file', mode: '644', size: 7 });
  expect(shown.entries[0]?.modifiedAt).toBe('1970-01-01T00:16:40.000Z');
});

test('any snapshot, or one file of it, goes into any empty directory', async () => {
  await using bot = await TestBot.open();
  const { dir, publisher } = await bot.start('a');
  mkdirSync(join(dir, 'folder/deep'), { recursive: true });
  writeFileSync(join(dir, 'folder/deep/file'), 'old');
  writeFileSync(join(dir, 'other'), 'other');
  await publisher.publish({ signal });
  const first = treeOf(dir);
  writeFileSync(join(dir, 'folder/deep/file'), 'new');
  await publisher.publish({ signal });

  const whole = { ...limits, dir: bot.dir('whole'), sequence: 1, path: undefined };
  expect(await restoreTo(bot.context(), whole)).toMatchObject({ sequence: 1, entries: 4 });
  expect(treeOf(bot.dir('whole'))).toEqual(first);
  await expect(restoreTo(bot.context(), whole)).rejects.toMatchObject({ code: 'refused' });

  await restoreTo(bot.context(), { ...whole, dir: bot.dir('part'), path: '/folder/deep/file' });
  expect(readFileSync(bot.dir('part/folder/deep/file'), 'utf8')).toBe('old');
  expect(treeOf(bot.dir('part'))).toHaveLength(3);
  const missing = restoreTo(bot.context(), { ...whole, dir: bot.dir('none'), path: 'folder/nothing' });
  await expect(missing).rejects.toMatchObject({ code: 'not-found' });
});

test('pruning waits for the safety age and deletes what no kept snapshot names', async () => {
  await using bot = await TestBot.open();
  const { dir, publisher } = await bot.start('a', { publisher: { keep: 1 } });
  for (let i = 0; i < 3; i++) {
    writeFileSync(join(dir, 'x'), Buffer.alloc(70_000, `${i}`));
    await publisher.publish({ signal });
  }
  await bot.store.put(`${bot.name}/outputs/packs/result`, Buffer.from('not ours'));
  expect(await prune(bot.context(), { signal })).toMatchObject({ deletedObjects: 0, youngObjects: 6 });
  expect(await prune(bot.context(), { safetyAgeMs: -1, signal })).toMatchObject({
    deletedObjects: 6,
    keptObjects: 3,
  });
  expect((await verify(bot.context(), { signal })).problems).toEqual([]);
  await bot.store.head(`${bot.name}/outputs/packs/result`);
  expect(treeOf((await bot.start('b')).dir)).toEqual(treeOf(dir));
});

test('a listing that fails deletes nothing', async () => {
  await using bot = await TestBot.open();
  const { dir, publisher } = await bot.start('a', { publisher: { keep: 1 } });
  for (let i = 0; i < 2; i++) {
    writeFileSync(join(dir, 'x'), Buffer.alloc(70_000, `${i}`));
    await publisher.publish({ signal });
  }
  let deletes = 0;
  const failing: ObjectStore = {
    ...bot.store,
    delete: async () => void deletes++,
    async *list(prefix, options) {
      yield* bot.store.list(prefix, options);
      if (prefix.endsWith('/packs/')) throw new RuntimeError('unavailable', 'the listing broke off');
    },
  };
  await expect(prune(bot.context(failing), { safetyAgeMs: -1, signal })).rejects.toMatchObject({
    code: 'unavailable',
  });
  expect(deletes).toBe(0);
});

test('a manifest that cannot be read keeps every pack', async () => {
  await using bot = await TestBot.open();
  const { dir, publisher } = await bot.start('a', { publisher: { keep: 2 } });
  for (let i = 0; i < 3; i++) {
    writeFileSync(join(dir, 'x'), Buffer.alloc(70_000, `${i}`));
    await publisher.publish({ signal });
  }
  const [kept] = await listSnapshots(bot.context(), signal);
  rmSync(bot.object(`manifests/${kept!.manifest}`));
  // One manifest belongs to no snapshot any more, the packs are anybody's.
  expect(await prune(bot.context(), { safetyAgeMs: -1, signal })).toMatchObject({ deletedObjects: 1 });
  expect(bot.warnings.at(-1)).toMatch(/no pack is deleted/);
});

test('packs of which little is in use are forgotten, and pruning then removes them', async () => {
  await using bot = await TestBot.open();
  const { dir, publisher } = await bot.start('a', { publisher: { keep: 1 } });
  const noise = () => Buffer.from(Array.from({ length: 300_000 }, () => Math.random() * 256));
  for (let i = 0; i < 8; i++) writeFileSync(join(dir, `file-${i}`), noise());
  await publisher.publish({ signal });
  for (let i = 0; i < 6; i++) rmSync(join(dir, `file-${i}`));
  await publisher.publish({ signal });
  writeFileSync(join(dir, 'one more'), 'publish');
  await publisher.publish({ signal });
  await prune(bot.context(), { safetyAgeMs: -1, signal });
  let bytes = 0;
  for await (const { size } of bot.store.list(`${bot.name}/packs/`)) bytes += size;
  expect(bytes).toBeLessThan(700_000);
  expect((await verify(bot.context(), { signal })).problems).toEqual([]);
  expect(treeOf((await bot.start('b')).dir)).toEqual(treeOf(dir));
});

test('many small publishes do not leave many small packs in use', { timeout: 60_000 }, async () => {
  await using bot = await TestBot.open();
  const { dir, publisher } = await bot.start('a', { publisher: { keep: 1 } });
  writeFileSync(join(dir, 'large'), Buffer.alloc(100_000, 'large'));
  for (let i = 0; i < 60; i++) {
    writeFileSync(join(dir, `file-${i}`), `content ${i}`);
    await publisher.publish({ signal, still: true });
  }
  const report = await prune(bot.context(), { safetyAgeMs: -1, signal });
  expect(report.keptObjects).toBeLessThan(40);
  expect(treeOf((await bot.start('b')).dir)).toEqual(treeOf(dir));
});
