import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openFileStore } from '../../../../src/store/file/file.ts';
import type { ObjectStore } from '../../../../src/store/objectStore.ts';
import { collect } from '../../../support/collect.ts';

let dir: string;
let store: ObjectStore;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'file-store-'));
  store = openFileStore(join(dir, 'store'), 'bucket');
  await store.put('first', Buffer.from('1'));
});
afterEach(async () => {
  store.close();
  await rm(dir, { recursive: true });
});

const error = (code: string) => expect.objectContaining({ code });
const bucket = () => join(dir, 'store', 'bucket');

test('a file that somebody put there is an object', async () => {
  await writeFile(join(bucket(), 'code.zip'), 'zip');
  expect(await store.head('code.zip')).toMatchObject({ size: 3 });
  expect((await collect(store.list(''))).map(({ key }) => key)).toEqual(['code.zip', 'first']);
});

test('no symbolic link is followed, to a file or to a directory', async () => {
  await mkdir(join(dir, 'outside'));
  await writeFile(join(dir, 'outside', 'secret'), 'secret');
  await symlink(join(dir, 'outside', 'secret'), join(bucket(), 'file'));
  await symlink(join(dir, 'outside'), join(bucket(), 'folder'));
  await expect(store.get('file')).rejects.toEqual(error('not-found'));
  await expect(store.head('file')).rejects.toEqual(error('not-found'));
  await expect(store.get('folder/secret')).rejects.toEqual(error('refused'));
  await expect(store.head('folder/secret')).rejects.toEqual(error('refused'));
  await expect(store.put('folder/secret', Buffer.from('x'))).rejects.toEqual(error('refused'));
  await expect(store.put('folder/new/deep', Buffer.from('x'))).rejects.toEqual(error('refused'));
  await expect(store.delete('folder/secret')).rejects.toEqual(error('refused'));
  await expect(collect(store.list('folder/'))).rejects.toEqual(error('refused'));
  expect((await collect(store.list(''))).map(({ key }) => key)).toEqual(['first']);
  expect(await readdir(join(dir, 'outside'))).toEqual(['secret']);
  expect(await readFile(join(dir, 'outside', 'secret'), 'utf8')).toBe('secret');

  await store.put('file', Buffer.from('replaces the link'));
  expect(await readFile(join(dir, 'outside', 'secret'), 'utf8')).toBe('secret');
});

test('a bucket that is a symbolic link is refused', async () => {
  await mkdir(join(dir, 'outside'));
  await symlink(join(dir, 'outside'), join(dir, 'store', 'linked'));
  const linked = openFileStore(join(dir, 'store'), 'linked');
  await expect(linked.put('x', Buffer.from('x'))).rejects.toEqual(error('refused'));
  await expect(collect(linked.list(''))).rejects.toEqual(error('refused'));
  linked.close();
});

test('the store directory itself may be a link', async () => {
  await symlink(join(dir, 'store'), join(dir, 'link'));
  const linked = openFileStore(join(dir, 'link/'), 'bucket');
  expect((await linked.head('first')).size).toBe(1);
  await linked.put('second', Buffer.from('2'));
  expect(await readFile(join(bucket(), 'second'), 'utf8')).toBe('2');
  linked.close();
});

test('a key that continues another one is refused, whichever came first', async () => {
  await store.put('a/b', Buffer.from('x'));
  await expect(store.put('a', Buffer.from('x'))).rejects.toEqual(error('damaged'));
  await expect(store.put('a/b/c', Buffer.from('x'))).rejects.toEqual(error('damaged'));
  await expect(store.get('a')).rejects.toEqual(error('not-found'));
  await expect(store.get('a/b/c')).rejects.toEqual(error('not-found'));
  expect((await store.head('a/b')).size).toBe(1);
});

test('a part of a key that no file could be named by is refused', async () => {
  await expect(store.put('n'.repeat(300), Buffer.from('x'))).rejects.toEqual(error('damaged'));
});

test('what a crash left of a write is in no listing, and is removed when it is old', async () => {
  const temp = join(dir, 'store', '.bucket', 'tmp');
  await writeFile(join(temp, 'old'), 'half');
  await writeFile(join(temp, 'young'), 'half');
  const before = Date.now() / 1000 - 2 * 3600;
  await utimes(join(temp, 'old'), before, before);
  expect((await collect(store.list(''))).map(({ key }) => key)).toEqual(['first']);
  const next = openFileStore(join(dir, 'store'), 'bucket');
  await next.put('second', Buffer.from('2'));
  expect(await readdir(temp)).toEqual(['young']);
  next.close();
});

test('a writer that is killed in the middle leaves the old object, and others can write', async () => {
  const program = join(import.meta.dirname, 'interruptedPut.ts');
  const writer = fork(program, [join(dir, 'store')], { execArgv: [] });
  await once(writer, 'message');
  const exit = once(writer, 'exit');
  writer.kill('SIGKILL');
  await exit;
  expect(await readdir(join(dir, 'store', '.bucket', 'tmp'))).toHaveLength(1);
  expect(await readFile(join(bucket(), 'first'), 'utf8')).toBe('1');
  await store.put('first', Buffer.from('2'));
  expect((await collect(store.list(''))).map(({ key, size }) => ({ key, size }))).toEqual([
    { key: 'first', size: 1 },
  ]);
});

test('a write that fails leaves no temporary file', async () => {
  await expect(store.put('x', Buffer.from('x'), { sha256: '0'.repeat(64) })).rejects.toEqual(
    error('damaged'),
  );
  expect(await readdir(join(dir, 'store', '.bucket', 'tmp'))).toEqual([]);
});

test('the directories of a removed object go with it, those of others stay', async () => {
  await store.put('a/b/c', Buffer.from('x'));
  await store.put('a/d', Buffer.from('x'));
  await store.delete('a/b/c');
  expect(existsSync(join(bucket(), 'a', 'b'))).toBe(false);
  expect((await store.head('a/d')).size).toBe(1);
  await store.delete('a/d');
  await store.delete('first');
  expect(await collect(store.list(''))).toEqual([]);
});

test('tags differ however fast writes follow each other, and when the clock goes back', async () => {
  let now = 1_700_000_000_000;
  const slow = openFileStore(join(dir, 'store'), 'bucket', {
    clock: { now: () => now, elapsed: () => 0, sleep: async () => {} },
  });
  const tags = new Set<string>();
  for (let count = 0; count < 20; count += 1) {
    tags.add((await slow.put('tagged', Buffer.from('same'))).etag);
    if (count === 10) now -= 3_600_000;
  }
  expect(tags.size).toBe(20);
  slow.close();
});

test('a copy takes no room, and neither sees what becomes of the other', async () => {
  const { etag } = await store.head('first');
  const file = async (key: string) => (await stat(join(bucket(), key))).ino;
  await store.copy('first', 'of/another');
  await store.copy('first', 'of/another');
  expect(await file('of/another')).toBe(await file('first'));
  expect((await store.head('first')).etag).toBe(etag);

  await store.append('of/another', await store.head('of/another'), Buffer.from('+'));
  expect(await readFile(join(bucket(), 'first'), 'utf8')).toBe('1');
  await store.put('first', Buffer.from('2'));
  expect(await readFile(join(bucket(), 'of/another'), 'utf8')).toBe('1+');

  // Over another object it is one of its own, with a tag of its own.
  const before = await store.head('of/another');
  await store.copy('first', 'of/another');
  expect(await file('of/another')).not.toBe(await file('first'));
  expect((await store.head('of/another')).etag).not.toBe(before.etag);
});
