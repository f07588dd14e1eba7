import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compareUtf8 } from '../../src/store/file/utf8Order.ts';
import { APPEND_MIN_BYTES, type ObjectInfo } from '../../src/store/objectStore.ts';
import { getBytes } from '../../src/store/readAll.ts';
import { readInto } from '../../src/store/readInto.ts';
import { collect } from '../support/collect.ts';
import { type Backend, openBackend } from './backends.ts';
import { openPlace } from './place.ts';

const MiB = 1024 * 1024;
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const error = (code: string) => expect.objectContaining({ name: 'RuntimeError', code });
const keysOf = async (listing: AsyncIterable<ObjectInfo>) => (await collect(listing)).map(({ key }) => key);

describe.each(['file', 's3', 'aws', 'folder'] as const)('%s', (type) => {
  let backend: Backend;

  beforeAll(async () => {
    backend = await openBackend(type);
    await backend.store.put('first', Buffer.from('makes the bucket'));
  });
  afterAll(async () => {
    backend.store.close();
    await backend.remove();
  });

  const read = async (key: string) => (await getBytes(backend.store, key, { maxBytes: 64 * MiB })).bytes;

  test('what is put is what is got, by this and by other means', async () => {
    const { store } = backend;
    const bytes = Buffer.from('some bytes');
    const { etag } = await store.put('round/trip', bytes);
    expect(await read('round/trip')).toEqual(bytes);
    expect(await backend.readBack('round/trip')).toEqual(bytes);
    const info = await store.head('round/trip');
    expect(info).toEqual({ key: 'round/trip', size: bytes.length, etag, modified: expect.any(Number) });
    const { body, ...got } = await store.get('round/trip');
    body.destroy();
    expect(got).toEqual(info);
    expect(await collect(store.list('round/'))).toEqual([{ ...info, modified: expect.any(Number) }]);
    expect(Math.abs(info.modified - (await store.now()))).toBeLessThan(60_000);
  });

  test('the checksum of what was put with one is told to who asks for it', async () => {
    const { store } = backend;
    const bytes = randomBytes(100_000);
    await store.put('checked', bytes, { sha256: sha256(bytes) });
    expect(await store.head('checked', { checksum: true })).toMatchObject({
      size: bytes.length,
      sha256: sha256(bytes),
    });
  });

  test('the checksum is of the object that is told, also while another takes its place', async () => {
    const { store } = backend;
    const bytesOf = (size: number) => Buffer.alloc(size, 'x');
    const put = (size: number) => store.put('racing', bytesOf(size), { sha256: sha256(bytesOf(size)) });
    await put(1);
    let last = false;
    const writing = (async () => {
      for (let size = 2; size <= 60; size++) await put(size);
    })().finally(() => {
      last = true;
    });
    do {
      const looks = Array.from({ length: 8 }, () => store.head('racing', { checksum: true }));
      for (const info of await Promise.all(looks)) expect(info.sha256).toBe(sha256(bytesOf(info.size)));
    } while (!last);
    await writing;
  });

  test('an object of no bytes is an object', async () => {
    await backend.store.put('empty', Buffer.alloc(0));
    expect(await read('empty')).toHaveLength(0);
    expect((await backend.store.head('empty')).size).toBe(0);
  });

  test('a put replaces the object whole and gives it another tag', async () => {
    const first = await backend.store.put('replaced', Buffer.from('a longer first version'));
    const second = await backend.store.put('replaced', Buffer.from('second'));
    expect(second.etag).not.toBe(first.etag);
    expect((await read('replaced')).toString()).toBe('second');
  });

  test('10 MiB go in from a source in pieces and come out the same', async () => {
    const bytes = randomBytes(10 * MiB);
    const open = () =>
      Readable.from([bytes.subarray(0, 3), bytes.subarray(3, 7 * MiB), bytes.subarray(7 * MiB)]);
    await backend.store.put('large', { size: bytes.length, open }, { sha256: sha256(bytes) });
    expect(sha256(await read('large'))).toBe(sha256(bytes));
    expect(sha256(await backend.readBack('large'))).toBe(sha256(bytes));
  });

  test('a source is hashed by the adapter when the caller has no hash', async () => {
    const bytes = randomBytes(2 * MiB);
    await backend.store.put('unhashed', { size: bytes.length, open: () => Readable.from([bytes]) });
    expect((await read('unhashed')).equals(bytes)).toBe(true);
  });

  test('ranges', async () => {
    const { store } = backend;
    await store.put('ranges', Buffer.from('0123456789'));
    const range = async (start: number, end: number) => {
      const { bytes, size } = await getBytes(store, 'ranges', { maxBytes: 100, range: { start, end } });
      expect(size).toBe(10);
      return bytes.toString();
    };
    expect(await range(0, 1)).toBe('0');
    expect(await range(3, 7)).toBe('3456');
    expect(await range(8, 99)).toBe('89');
    await expect(range(10, 11)).rejects.toEqual(error('damaged'));
  });

  test('bytes come into memory that is given, from its start and no further', async () => {
    const { store } = backend;
    const bytes = randomBytes(3 * MiB);
    await store.put('into', bytes);
    const memory = Buffer.from(new SharedArrayBuffer(4 * MiB));
    const into = memory.subarray(1000);
    for (const range of [undefined, { start: 7, end: 2 * MiB }]) {
      memory.fill(0xaa);
      const wanted = range ? bytes.subarray(range.start, range.end) : bytes;
      const lengths = await collect(readInto(await store.get('into', { range, into: () => into }), into));
      expect(lengths.at(-1)).toBe(wanted.length);
      expect(lengths).toEqual([...new Set(lengths)].sort((a, b) => a - b));
      expect(into.subarray(0, wanted.length).equals(wanted)).toBe(true);
      for (const rest of [memory.subarray(0, 1000), into.subarray(wanted.length)])
        expect(rest.every((byte) => byte === 0xaa)).toBe(true);
    }
    const small = Buffer.alloc(100);
    await expect(collect(readInto(await store.get('into', { into: () => small }), small))).rejects.toEqual(
      error('damaged'),
    );
  });

  test.each([
    ['spaces', 'odd/a b  c'],
    ['plus and percent', 'odd/1+1=2%20%2F'],
    ['ampersand and angle brackets', 'odd/<a>&amp;&#10;"\''],
    ['what URLs treat in their own way', "odd/!*'();:@$,?#[]"],
    ['letters beyond ASCII', 'odd/Zürich/日本/😀'],
    ['a backslash', 'odd/a\\b'],
    ['dots', 'odd/...a/.hidden'],
    ['200 characters in a part', `odd/${'n'.repeat(200)}`],
  ])('keys with %s', async (_, key) => {
    const bytes = Buffer.from(key);
    await backend.store.put(key, bytes);
    expect(await read(key)).toEqual(bytes);
    expect(await backend.readBack(key)).toEqual(bytes);
    expect(await keysOf(backend.store.list(key))).toEqual([key]);
    await backend.store.delete(key);
    await expect(backend.store.head(key)).rejects.toEqual(error('not-found'));
  });

  test.each([
    '',
    '/',
    'a//b',
    'a/',
    '/a',
    '.',
    'a/./b',
    '../a',
    'a/..',
    'a\nb',
    'a\0b',
    '\ud800',
    'k'.repeat(1025),
  ])('the key %j is refused before anything is asked of the store', async (key) => {
    for (const call of [
      () => backend.store.put(key, Buffer.from('x')),
      () => backend.store.get(key),
      () => backend.store.head(key),
      () => backend.store.delete(key),
    ]) {
      await expect(call()).rejects.toEqual(error('damaged'));
    }
  });

  test('what is not there is not found', async () => {
    await expect(backend.store.get('nothing')).rejects.toEqual(error('not-found'));
    await expect(backend.store.head('nothing')).rejects.toEqual(error('not-found'));
    await backend.store.delete('nothing');
  });

  test('a conditional put', async () => {
    const { store } = backend;
    const first = await store.put('condition', Buffer.from('1'), { ifNoneMatch: '*' });
    await expect(store.put('condition', Buffer.from('x'), { ifNoneMatch: '*' })).rejects.toEqual(
      error('conflict'),
    );
    const second = await store.put('condition', Buffer.from('2'), { ifMatch: first.etag });
    await expect(store.put('condition', Buffer.from('x'), { ifMatch: first.etag })).rejects.toEqual(
      error('conflict'),
    );
    await expect(store.put('absent', Buffer.from('x'), { ifMatch: first.etag })).rejects.toEqual(
      error('conflict'),
    );
    expect((await read('condition')).toString()).toBe('2');
    expect((await store.head('condition')).etag).toBe(second.etag);
  });

  test('a conditional put of a large body is refused too', async () => {
    const { store } = backend;
    await store.put('condition-large', Buffer.from('1'));
    const body = { size: 20 * MiB, open: () => Readable.from([Buffer.alloc(20 * MiB)]) };
    await expect(store.put('condition-large', body, { ifNoneMatch: '*' })).rejects.toEqual(error('conflict'));
    await expect(store.put('condition-large', Buffer.alloc(20 * MiB), { ifNoneMatch: '*' })).rejects.toEqual(
      error('conflict'),
    );
  });

  test('a conditional get', async () => {
    const { store } = backend;
    const first = await store.put('get-if', Buffer.from('1'));
    await store.put('get-if', Buffer.from('22'));
    await expect(store.get('get-if', { ifMatch: first.etag })).rejects.toEqual(error('conflict'));
  });

  test('a body that is being read stays what it was when it is written again', async () => {
    const { store } = backend;
    await store.put('snapshot', Buffer.alloc(4 * MiB, 'a'));
    const { body } = await store.get('snapshot');
    await store.put('snapshot', Buffer.alloc(4 * MiB, 'b'));
    expect(Buffer.concat(await collect(body)).equals(Buffer.alloc(4 * MiB, 'a'))).toBe(true);
  });

  test('a body with another hash is refused and leaves what was there', async () => {
    const { store } = backend;
    await store.put('hash', Buffer.from('good'));
    for (const body of [Buffer.from('evil'), { size: 4, open: () => Readable.from([Buffer.from('evil')]) }]) {
      const promise = store.put('hash', body, { sha256: sha256(Buffer.from('good')) });
      await expect(promise).rejects.toEqual(expect.objectContaining({ code: 'damaged', retryable: false }));
    }
    expect((await read('hash')).toString()).toBe('good');
  });

  test.each([
    ['shorter', 3],
    ['longer', 5],
  ])('a source %s than promised is refused and leaves what was there', async (name, size) => {
    const { store } = backend;
    await store.put(name, Buffer.from('good'));
    const body = { size: 4, open: () => Readable.from([Buffer.alloc(size)]) };
    await expect(store.put(name, body)).rejects.toEqual(error('damaged'));
    expect((await read(name)).toString()).toBe('good');
  });

  test('a source that fails is the one that is blamed', async () => {
    const open = () =>
      Readable.from(
        (async function* () {
          yield Buffer.alloc(10);
          throw new Error('the disk is gone');
        })(),
      );
    const promise = backend.store.put('source', { size: 20, open }, { sha256: '0'.repeat(64) });
    await expect(promise).rejects.toEqual(error('damaged'));
    await expect(promise).rejects.toThrow('the disk is gone');
  });

  test('a listing of more than a page is whole and in UTF-8 order', async () => {
    const { store } = backend;
    const odd = ['a', 'a-b', 'a.b/c', 'a/b', 'a/b-c', 'a0', 'é', '\uffe5', '😀', 'with space/+%&<>', 'z'];
    const many = Array.from({ length: 1050 }, (_, index) => `many/${String(index).padStart(4, '0')}`);
    const keys = [...odd, ...many].map((key) => `list/${key}/object`);
    for (let at = 0; at < keys.length; at += 50) {
      await Promise.all(keys.slice(at, at + 50).map((key) => store.put(key, Buffer.from('x'))));
    }
    const sorted = keys.toSorted(compareUtf8);
    expect(await keysOf(store.list('list/'))).toEqual(sorted);
    expect(await keysOf(store.list('list/a'))).toEqual(sorted.filter((key) => key.startsWith('list/a')));
    expect(await keysOf(store.list('list/', { startAfter: sorted[1000] }))).toEqual(sorted.slice(1001));
    expect(await keysOf(store.list('list/none'))).toEqual([]);
  });

  test('a call that was ended by its signal rejects with the reason', async () => {
    const { store } = backend;
    const reason = new Error('enough');
    const signal = AbortSignal.abort(reason);
    await expect(store.get('first', { signal })).rejects.toBe(reason);
    await expect(store.head('first', { signal })).rejects.toBe(reason);
    await expect(store.put('aborted', Buffer.from('x'), { signal })).rejects.toBe(reason);
    await expect(keysOf(store.list('', { signal }))).rejects.toBe(reason);
    await expect(store.now({ signal })).rejects.toBe(reason);

    const controller = new AbortController();
    const open = () =>
      Readable.from(
        (async function* () {
          yield Buffer.alloc(MiB);
          controller.abort(reason);
          yield Buffer.alloc(MiB);
        })(),
      );
    const options = { signal: controller.signal, sha256: '0'.repeat(64) };
    await expect(store.put('aborted', { size: 2 * MiB, open }, options)).rejects.toBe(reason);
    await expect(store.head('aborted')).rejects.toEqual(error('not-found'));

    await store.put('read', Buffer.alloc(8 * MiB));
    const reading = new AbortController();
    const { body } = await store.get('read', { signal: reading.signal });
    const drain = async () => {
      for await (const _ of body) reading.abort(reason);
    };
    await expect(drain()).rejects.toBe(reason);
  });

  test('an append adds behind the object that was meant, and to no other', async () => {
    const { store } = backend;
    const old = randomBytes(APPEND_MIN_BYTES + 17);
    await store.put('log', old);
    const base = await store.head('log');
    const { etag } = await store.append('log', base, Buffer.from('tail'));
    expect((await backend.readBack('log')).equals(Buffer.concat([old, Buffer.from('tail')]))).toBe(true);
    expect((await store.head('log')).etag).toBe(etag);
    await expect(store.append('log', base, Buffer.from('late'))).rejects.toEqual(error('conflict'));
    expect((await store.head('log')).size).toBe(old.length + 4);
    expect(await backend.openUploads()).toEqual([]);
  });

  test('a copy is made in the store, over what was there; what is not there is not found', async () => {
    const { store } = backend;
    const bytes = randomBytes(3 * MiB);
    await store.put('of/a bot', bytes);
    await store.put('of/another', Buffer.from('older'));
    await store.copy('of/a bot', 'of/another');
    expect(await read('of/another')).toEqual(bytes);
    await store.delete('of/a bot');
    expect(await read('of/another')).toEqual(bytes);
    await expect(store.copy('of/nobody', 'of/copy')).rejects.toEqual(error('not-found'));
    await expect(store.copy('of/../first', 'of/copy')).rejects.toEqual(error('damaged'));
    await expect(store.head('of/copy')).rejects.toEqual(error('not-found'));
  });

  test('a small object: appended to, or refused, never spoilt', async () => {
    const { store } = backend;
    await store.put('small-log', Buffer.from('old'));
    const appended = store.append('small-log', await store.head('small-log'), Buffer.from('+new'));
    if (type === 'file') await appended;
    else await expect(appended).rejects.toEqual(error('damaged'));
    expect((await read('small-log')).toString()).toBe(type === 'file' ? 'old+new' : 'old');
    expect(await backend.openUploads()).toEqual([]);
  });

  test('a missing bucket is not found, and is made only by a write that may', async () => {
    const bucket = `${backend.place.bucket}-missing`;
    const careful = openPlace({ ...backend.place, bucket }, false);
    await expect(careful.get('x')).rejects.toEqual(error('not-found'));
    await expect(careful.head('x')).rejects.toEqual(error('not-found'));
    await expect(keysOf(careful.list(''))).rejects.toEqual(error('not-found'));
    await expect(careful.put('x', Buffer.from('x'))).rejects.toEqual(error('not-found'));
    await careful.delete('x');
    const bold = openPlace({ ...backend.place, bucket });
    await expect(bold.put('x', Buffer.from('x'), { ifMatch: '"x"' })).rejects.toEqual(error('conflict'));
    await Promise.all([1, 2, 3].map((n) => bold.put(`x${n}`, Buffer.from('x'))));
    expect(await keysOf(careful.list(''))).toEqual(['x1', 'x2', 'x3']);
    await Promise.all([1, 2, 3].map((n) => bold.delete(`x${n}`)));
    careful.close();
    bold.close();
  });
});
