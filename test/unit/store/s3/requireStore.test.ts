import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { ObjectStore } from '../../../../src/store/objectStore.ts';
import { requireStore } from '../../../../src/store/s3/requireStore.ts';
import { answering } from '../../../support/store/answering.ts';

const unavailable = (hint: string) =>
  expect.objectContaining({ code: 'unavailable', retryable: false, hint: expect.stringContaining(hint) });

const calls = [
  ['get', (store: ObjectStore) => store.get('key')],
  ['head', (store: ObjectStore) => store.head('key')],
  ['put', (store: ObjectStore) => store.put('key', Buffer.from('x'))],
] as const;

describe.each(['s3', 'aws'] as const)('%s', (type) => {
  test.each(calls)('a portal and a proxy without tags are told from a store: %s', async (_, call) => {
    const portal = await answering(
      { 'content-type': 'text/html', etag: '"page"' },
      '<html>log in</html>',
      {},
      type,
    );
    await expect(call(portal)).rejects.toEqual(unavailable('portal'));
    const stripped = await answering({ 'x-amz-request-id': '1' }, 'bytes', {}, type);
    await expect(call(stripped)).rejects.toEqual(unavailable('ETag'));
    const good = await answering({ 'x-amz-request-id': '1', etag: '"t"' }, 'bytes', {}, type);
    await expect(call(good)).resolves.toMatchObject({ etag: '"t"' });
  });

  test.each(calls)('404 of an ingress with nothing behind it is told from a store’s: %s', async (_, call) => {
    const plain = { 'content-type': 'text/plain; charset=utf-8' };
    const page = { 'content-type': 'text/html' };
    const ingress = await answering(plain, 'default backend - 404', page, type, 404);
    await expect(call(ingress)).rejects.toMatchObject({ code: 'unavailable', retryable: true });
    const xml = '<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>';
    const store = await answering({ 'content-type': 'application/xml' }, xml, {}, type, 404);
    await expect(call(store)).rejects.toMatchObject({ code: 'not-found' });
    for (const headers of [{}, plain]) {
      const silent = await answering(headers, '', {}, type, 404);
      await expect(call(silent)).rejects.toMatchObject({ code: 'not-found' });
    }
  });

  test('a gateway that ignores If-Match: bytes of another object are a conflict, not the rest of this one', async () => {
    const store = await answering({ etag: '"other"' }, 'bytes', {}, type);
    await expect(store.get('key', { ifMatch: '"this"' })).rejects.toMatchObject({ code: 'conflict' });
    const { body } = await store.get('key', { ifMatch: '"other"' });
    expect(Buffer.concat(await body.toArray()).toString()).toBe('bytes');
  });

  test('a tag that a proxy calls weak is the store’s own', async () => {
    const store = await answering({ etag: 'W/"t"' }, 'bytes', {}, type);
    expect((await store.head('key')).etag).toBe('"t"');
    expect((await store.put('key', Buffer.from('x'))).etag).toBe('"t"');
    const { etag, body } = await store.get('key', { ifMatch: '"t"' });
    expect(etag).toBe('"t"');
    await body.toArray();
  });

  test('an answer that was packed on its way is no damage, and one that is stored so is taken as it is', async () => {
    const packed = gzipSync('the bytes of the object');
    const headers = { etag: '"t"', 'content-encoding': 'gzip' };
    const onItsWay = await answering(headers, packed, { 'content-length': '23' }, type);
    await expect(onItsWay.get('key')).rejects.toEqual(unavailable('recodes'));
    const stored = await answering(headers, packed, { 'content-length': `${packed.length}` }, type);
    const { body } = await stored.get('key');
    expect(Buffer.concat(await body.toArray()).equals(packed)).toBe(true);
  });
});

test('a page that is an object of a store', () => {
  const headers = { 'content-type': 'text/html', etag: '"t"', 'x-amz-request-id': '1' };
  expect(() => requireStore(headers, 'store.get', 'page')).not.toThrow();
});
