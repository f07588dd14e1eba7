import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { expect, test } from 'vitest';
import { signal, TestBot } from '../support/bot.ts';
import { treeOf } from '../support/treeOf.ts';

const damaged = expect.objectContaining({ name: 'RuntimeError', code: 'damaged' });

async function archiveOf(
  entries: readonly Parameters<ReturnType<typeof pack>['entry']>[0][],
): Promise<Buffer> {
  const archive = pack();
  for (const entry of entries) {
    if (entry.type === undefined) archive.entry(entry, 'content');
    else archive.entry(entry);
  }
  archive.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive) chunks.push(chunk as Uint8Array);
  return gzipSync(Buffer.concat(chunks));
}

test('an older state is restored, left alone, and then kept in this format', async () => {
  await using bot = await TestBot.openHasty();
  const source = bot.dir('source');
  mkdirSync(join(source, 'folder/empty'), { recursive: true });
  writeFileSync(join(source, 'folder/large'), Buffer.alloc(1_500_000, 'large'), { mode: 0o640 });
  writeFileSync(join(source, 'ünïcode'), 'x');
  symlinkSync('folder/large', join(source, 'link'));
  chmodSync(join(source, 'folder'), 0o755);
  for (const path of ['folder/large', 'ünïcode', 'folder/empty', 'folder'])
    utimesSync(join(source, path), 1e9, 1e9);
  execFileSync('tar', ['-czf', bot.dir('state.tar.gz'), '-C', source, '.']);
  const archive = readFileSync(bot.dir('state.tar.gz'));
  await bot.store.put(`${bot.name}/state.tar.gz`, archive);

  const first = await bot.start('a');
  expect(first.report).toMatchObject({ legacy: true, files: 2, bytes: 1_500_001 });
  const times = / \d+$/;
  const withoutLinkTime = (lines: string[]) =>
    lines.map((line) => (line.includes(' link ') ? line.replace(times, '') : line));
  expect(withoutLinkTime(treeOf(first.dir))).toEqual(withoutLinkTime(treeOf(source)));

  // A container that dies before its first publish starts from the older state again.
  rmSync(first.dir, { recursive: true });
  const second = await bot.start('a');
  expect(second.report.legacy).toBe(true);
  writeFileSync(join(second.dir, 'new'), 'new');
  await second.publisher.publish({ signal });
  const third = await bot.start('b');
  expect(third.report).toMatchObject({ legacy: false, sequence: 1 });
  expect(treeOf(third.dir)).toEqual(treeOf(second.dir));
  expect(readFileSync(bot.object('state.tar.gz'))).toEqual(archive);
});

test.each([
  ['a path that climbs out', [{ name: '../outside' }]],
  ['the same file twice', [{ name: 'x' }, { name: 'x' }]],
  ['a file below a file', [{ name: 'x' }, { name: 'x/y' }]],
  ['a file below a link', [{ name: 'x', type: 'symlink', linkname: 'inside' }, { name: 'x/y' }]],
  ['a hard link to what is not in it', [{ name: 'x', type: 'link', linkname: '/etc/passwd' }]],
] as const)('%s in an older state is refused', async (_name, entries) => {
  await using bot = await TestBot.openHasty();
  await bot.store.put(`${bot.name}/state.tar.gz`, await archiveOf(entries));
  await expect(bot.start('a')).rejects.toEqual(damaged);
});

test('a damaged older state stops the start', async () => {
  await using bot = await TestBot.openHasty();
  const archive = await archiveOf([{ name: 'a' }, { name: 'b' }]);
  for (const bytes of [
    archive.subarray(0, archive.length >> 1),
    Buffer.from('no gzip'),
    gzipSync('no tar'),
  ]) {
    await bot.store.put(`${bot.name}/state.tar.gz`, bytes);
    await expect(bot.start('a')).rejects.toEqual(damaged);
    await bot.store.delete(`${bot.name}/head`);
  }
});

test('limits hold for an older state as well', async () => {
  await using bot = await TestBot.openHasty();
  await bot.store.put(`${bot.name}/state.tar.gz`, await archiveOf([{ name: 'a' }, { name: 'b' }]));
  await expect(bot.start('a', { restore: { maxBytes: 10 } })).rejects.toMatchObject({ op: 'state.limit' });
});

test('with exporting, readers of the older format find the newest state', async () => {
  await using bot = await TestBot.openHasty();
  const { dir, publisher } = await bot.start('a', { publisher: { exportTarGz: true } });
  mkdirSync(join(dir, 'folder'));
  writeFileSync(join(dir, 'folder/large'), Buffer.alloc(3_000_000, 'large'));
  writeFileSync(join(dir, 'small'), 'small', { mode: 0o600 });
  symlinkSync('small', join(dir, 'link'));
  for (const path of ['folder/large', 'small', 'folder']) utimesSync(join(dir, path), 1e9, 1e9);
  await publisher.publish({ signal });
  const unpacked = bot.dir('unpacked');
  mkdirSync(unpacked);
  execFileSync('tar', ['-xzf', bot.object('state.tar.gz'), '-C', unpacked]);
  const lines = (path: string) => treeOf(path).filter((line) => !line.includes(' link '));
  expect(lines(unpacked)).toEqual(lines(dir));
  expect(readFileSync(join(unpacked, 'link'), 'utf8')).toBe('small');
});
