import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import { Secret } from '../../src/base/secret.ts';
import type { ObjectStore } from '../../src/store/objectStore.ts';
import { getBytes } from '../../src/store/readAll.ts';
import { readInto } from '../../src/store/readInto.ts';
import { type Retry, withRetry } from '../../src/store/retry/retry.ts';
import { openS3Store } from '../../src/store/s3/s3.ts';
import { collect } from '../support/collect.ts';
import { type FaultProxy, type ProxiedRequest, startFaultProxy } from '../support/store/faultProxy.ts';
import { minioClient } from '../support/store/minio.ts';
import { type Backend, openMinioBackend } from './backends.ts';
import { openPlace } from './place.ts';

const MiB = 1024 * 1024;
const is = (method: string, part: string) => (request: ProxiedRequest) =>
  request.method === method && request.path.includes(part);
const unavailable = expect.objectContaining({ code: 'unavailable', retryable: true });

describe.each(['s3', 'aws'] as const)('%s', (type) => {
  let proxy: FaultProxy;
  let backend: Backend;
  /** Through the proxy, without retries. */
  let plain: ObjectStore;
  let retries: Retry[];
  /** Through the proxy, with them. */
  let patient: ObjectStore;
  /** What happens instead of waiting. */
  let whileWaiting: (ms: number) => Promise<unknown>;

  beforeAll(async () => {
    backend = openMinioBackend(type, `faults-${randomBytes(6).toString('hex')}`, inject('minio'));
    await backend.store.put('first', Buffer.from('makes the bucket'));
  });
  afterAll(async () => {
    backend.store.close();
    await backend.remove();
  });
  beforeEach(async () => {
    proxy = await startFaultProxy(inject('minio').port);
    plain = openPlace({ ...backend.place, ...inject('minio'), type, endpoint: proxy.endpoint });
    retries = [];
    whileWaiting = async () => {};
    const policy = { deadlineMs: 600_000, baseMs: 100, capMs: 1000 };
    const clock: Clock = {
      now: () => Date.now(),
      elapsed: systemClock.elapsed,
      // Longer ones are not a pause, but the limits of attempts.
      sleep: async (ms, signal) =>
        void (await (ms > 10_000 ? systemClock.sleep(ms, signal) : whileWaiting(ms))),
    };
    patient = withRetry(plain, policy, { clock, random: () => 0.5, onRetry: (retry) => retries.push(retry) });
  });
  afterEach(async () => {
    plain.close();
    await proxy.close();
  });

  test.each([
    ['a reset', { reset: true as const }],
    ['a request cut short', { cutRequestAfter: 1000 }],
    ['an answer that never arrives', { dropResponse: true as const }],
    ['SlowDown', { status: 503, code: 'SlowDown' }],
    ['an internal error', { status: 500, code: 'InternalError' }],
    ['too many requests', { status: 429, code: 'TooManyRequests' }],
  ])('%s fails a put, and another try mends it', async (name, fault) => {
    const bytes = randomBytes(MiB);
    proxy.inject({ when: is('PUT', 'put'), fault });
    await expect(plain.put(`put ${name}`, bytes)).rejects.toEqual(unavailable);
    proxy.inject({ when: is('PUT', 'put'), fault, times: 2 });
    await patient.put(`put ${name}`, bytes);
    expect(retries).toHaveLength(2);
    expect((await backend.readBack(`put ${name}`)).equals(bytes)).toBe(true);
  });

  test('bytes that change on the way to the store are noticed there', async () => {
    const bytes = randomBytes(MiB);
    proxy.inject({ when: is('PUT', 'corrupt'), fault: { corruptRequest: true }, times: 2 });
    await expect(plain.put('corrupt', bytes)).rejects.toEqual(
      expect.objectContaining({ code: 'damaged', retryable: true }),
    );
    await patient.put('corrupt', bytes);
    expect((await backend.readBack('corrupt')).equals(bytes)).toBe(true);
  });

  test('a body that breaks off goes on where it was, with bytes of the same object', async () => {
    const bytes = randomBytes(8 * MiB);
    const { etag } = await plain.put('body', bytes);
    const fault = { cutResponseAfter: 3 * MiB };
    proxy.inject({ when: is('GET', 'body'), fault });
    await expect(getBytes(plain, 'body', { maxBytes: 8 * MiB })).rejects.toEqual(unavailable);
    proxy.inject({ when: is('GET', 'body'), fault, times: 2 });
    const read = await getBytes(patient, 'body', { maxBytes: 8 * MiB });
    expect(read.bytes.equals(bytes)).toBe(true);
    expect(proxy.requests.at(-1)?.headers).toMatchObject({
      'if-match': etag,
      range: `bytes=${6 * MiB}-${8 * MiB - 1}`,
    });
  });

  test('a range that breaks off ends where it should', async () => {
    const bytes = randomBytes(4 * MiB);
    await plain.put('range', bytes);
    proxy.inject({ when: is('GET', 'range'), fault: { cutResponseAfter: MiB } });
    const range = { start: 1000, end: 3 * MiB };
    const read = await getBytes(patient, 'range', { maxBytes: 4 * MiB, range });
    expect(read.bytes.equals(bytes.subarray(1000, 3 * MiB))).toBe(true);
    expect(retries).toHaveLength(1);
  });

  test('a range that breaks off goes on in the memory that it is to be in', async () => {
    const bytes = randomBytes(4 * MiB);
    await plain.put('memory', bytes);
    proxy.inject({ when: is('GET', 'memory'), fault: { cutResponseAfter: MiB }, times: 2 });
    const into = Buffer.alloc(3 * MiB);
    const range = { start: 1000, end: 1000 + 3 * MiB };
    await collect(readInto(await patient.get('memory', { range, into: () => into }), into));
    expect(into.equals(bytes.subarray(range.start, range.end))).toBe(true);
    expect(retries).toHaveLength(2);
  });

  test('a body of an object that has been replaced meanwhile does not go on', async () => {
    await plain.put('replaced', Buffer.alloc(4 * MiB, 'a'));
    proxy.inject({ when: is('GET', 'replaced'), fault: { cutResponseAfter: MiB } });
    whileWaiting = () => backend.store.put('replaced', Buffer.alloc(4 * MiB, 'b'));
    const read = getBytes(patient, 'replaced', { maxBytes: 4 * MiB });
    await expect(read).rejects.toEqual(expect.objectContaining({ code: 'conflict' }));
  });

  test('a conditional put whose answer was lost is known to have happened', async () => {
    const { etag } = await plain.put('head', Buffer.from('old'));
    proxy.inject({ when: is('PUT', 'head'), fault: { dropResponse: true } });
    const put = await patient.put('head', Buffer.from('new'), { ifMatch: etag });
    expect(retries).toHaveLength(1);
    expect(put).toEqual({ etag: (await backend.store.head('head')).etag });
  });

  test('a conditional put whose answer was lost has lost when somebody else wrote after it', async () => {
    proxy.inject({ when: is('PUT', 'taken'), fault: { dropResponse: true } });
    whileWaiting = () => backend.store.put('taken', Buffer.from('his'));
    const put = patient.put('taken', Buffer.from('own'), { ifNoneMatch: '*' });
    await expect(put).rejects.toEqual(expect.objectContaining({ code: 'conflict' }));
    expect((await backend.readBack('taken')).toString()).toBe('his');
  });

  test('Retry-After is honoured, up to the longest pause of our own', async () => {
    const waits: number[] = [];
    whileWaiting = async (ms) => waits.push(ms);
    for (const seconds of ['1', '120']) {
      const fault = { status: 503, code: 'SlowDown', headers: { 'retry-after': seconds } };
      proxy.inject({ when: is('HEAD', 'first'), fault });
      await patient.head('first');
    }
    expect(waits).toEqual([1000, 750]);
  });

  test('a gateway that sends the whole object for a range', async () => {
    const bytes = randomBytes(MiB);
    proxy.inject({ when: is('GET', 'no%20ranges'), fault: { whole: bytes }, times: 9 });
    for (const [start, end] of [
      [0, 10],
      [1000, 70_000],
      [MiB - 5, 2 * MiB],
    ] as const) {
      const read = await getBytes(plain, 'no ranges', { maxBytes: MiB, range: { start, end } });
      expect(read.bytes.equals(bytes.subarray(start, end))).toBe(true);
      expect(read.size).toBe(MiB);
    }
    expect(proxy.requests.filter(({ fault }) => fault !== undefined)).toHaveLength(3);
  });

  test('a gateway that does not implement conditions gets the write without them', async () => {
    const fault = { status: 501, code: 'NotImplemented' };
    const isConditional = ({ headers }: ProxiedRequest) =>
      'if-none-match' in headers || 'if-match' in headers;
    proxy.inject({ when: isConditional, fault, times: 99 });
    await plain.put('unconditional', Buffer.from('1'), { ifNoneMatch: '*' });
    // As a store that ignores conditions: who has to know finds out by a write that ought to be refused.
    await plain.put('unconditional', Buffer.from('2'), { ifNoneMatch: '*' });
    expect((await backend.readBack('unconditional')).toString()).toBe('2');
    expect(proxy.requests.filter(isConditional)).toHaveLength(1);
  });

  test('one that has refused a write on its condition before is not believed', async () => {
    await plain.put('believed', Buffer.from('1'));
    const again = plain.put('believed', Buffer.from('2'), { ifNoneMatch: '*' });
    await expect(again).rejects.toEqual(expect.objectContaining({ code: 'conflict' }));
    proxy.inject({ when: is('PUT', 'believed'), fault: { status: 501, code: 'NotImplemented' } });
    const third = plain.put('believed', Buffer.from('3'), { ifNoneMatch: '*' });
    await expect(third).rejects.toEqual(expect.objectContaining({ code: 'unavailable' }));
    expect((await backend.readBack('believed')).toString()).toBe('1');
  });

  test.each([
    [403, 'AccessDenied', 'MINIO_ACCESS_KEY'],
    [403, 'SignatureDoesNotMatch', 'MINIO_SECRET_KEY'],
    [403, 'RequestTimeTooSkewed', 'clock'],
  ])('%i %s is final and has a hint', async (status, code, hint) => {
    proxy.inject({ when: is('GET', 'first'), fault: { status, code }, times: 9 });
    const failure = await patient.get('first').catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'denied', retryable: false, hint: expect.stringContaining(hint) });
    expect(proxy.requests).toHaveLength(1);
  });

  test('a listing that breaks between two pages is whole in the end', async () => {
    const keys = Array.from({ length: 1005 }, (_, index) => `listing/${String(index).padStart(4, '0')}`);
    for (let at = 0; at < keys.length; at += 67) {
      await Promise.all(keys.slice(at, at + 67).map((key) => backend.store.put(key, Buffer.from('x'))));
    }
    const second = is('GET', 'continuation-token');
    const fault = { status: 503, code: 'SlowDown' };
    proxy.inject({ when: second, fault });
    await expect(collect(plain.list('listing/'))).rejects.toEqual(unavailable);
    proxy.inject({ when: second, fault });
    expect((await collect(patient.list('listing/'))).map(({ key }) => key)).toEqual(keys);
  });

  describe('append', () => {
    const old = randomBytes(6 * MiB);
    const tail = Buffer.from('tail');

    test.each([
      ['the copy', is('PUT', 'partNumber=1')],
      ['the part', is('PUT', 'partNumber=2')],
      ['the end', (request: ProxiedRequest) => request.method === 'POST' && /uploadId=/.test(request.path)],
    ])('leaves the old object and no upload behind when %s fails', async (_, when) => {
      await plain.put('log', old);
      proxy.inject({ when, fault: { reset: true } });
      await expect(plain.append('log', await plain.head('log'), tail)).rejects.toEqual(unavailable);
      expect((await backend.readBack('log')).equals(old)).toBe(true);
      expect(await backend.openUploads()).toEqual([]);
    });

    test('leaves no upload behind when its signal ends it', async () => {
      await plain.put('log', old);
      const controller = new AbortController();
      const reason = new Error('enough');
      const abort = (request: ProxiedRequest) => {
        const hit = is('PUT', 'partNumber=2')(request);
        if (hit) controller.abort(reason);
        return hit;
      };
      proxy.inject({ when: abort, fault: { hang: true } });
      const append = plain.append('log', await plain.head('log'), tail, { signal: controller.signal });
      await expect(append).rejects.toBe(reason);
      expect(await backend.openUploads()).toEqual([]);
    });

    test('removes what a crash, or the lost answer to its first call, has left', async () => {
      await plain.put('log', old);
      await minioClient(inject('minio')).initiateNewMultipartUpload(backend.place.bucket, 'log', {});
      const when = (request: ProxiedRequest) => request.method === 'POST' && /uploads/.test(request.path);
      proxy.inject({ when, fault: { dropResponse: true } });
      await expect(plain.append('log', await plain.head('log'), tail)).rejects.toEqual(unavailable);
      expect(await backend.openUploads()).toEqual(['log']);
      await plain.append('log', await plain.head('log'), tail);
      expect(await backend.openUploads()).toEqual([]);
    });

    test('adds the tail once when its last answer was lost', async () => {
      await plain.put('log', old);
      const when = (request: ProxiedRequest) => request.method === 'POST' && /uploadId=/.test(request.path);
      proxy.inject({ when, fault: { dropResponse: true } });
      await patient.append('log', await plain.head('log'), tail);
      expect(retries).toHaveLength(1);
      expect((await backend.readBack('log')).equals(Buffer.concat([old, tail]))).toBe(true);
      expect(await backend.openUploads()).toEqual([]);
    });
  });

  test('wrong credentials are denied, and no message holds a secret', async () => {
    const secret = `${inject('minio').secretKey}-wrong`;
    const wrong = openPlace({ ...backend.place, ...inject('minio'), type, secretKey: secret });
    for (const call of [
      () => wrong.get('first'),
      () => wrong.head('first'),
      () => wrong.put('x', Buffer.alloc(3 * MiB)),
    ]) {
      const failure = await call().catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: 'denied', retryable: false });
      expect(failure).toHaveProperty('hint', expect.stringContaining('MINIO_SECRET_KEY'));
      const shown = `${JSON.stringify(failure)} ${(failure as Error).stack}`;
      expect(shown).not.toContain(secret);
      expect(shown).not.toContain('AWS4-HMAC');
    }
    wrong.close();
    openPlace({ ...backend.place, ...inject('minio'), type }).close();
  });
});

describe('s3 time-outs', () => {
  let proxy: FaultProxy;
  let store: ObjectStore;
  const bucket = `timeouts-${randomBytes(6).toString('hex')}`;

  beforeAll(async () => {
    const { accessKey, secretKey, port } = inject('minio');
    proxy = await startFaultProxy(port);
    store = openS3Store({
      endpoint: proxy.endpoint,
      bucket,
      createBucket: false,
      region: 'us-east-1',
      accessKey: new Secret(accessKey),
      secretKey: new Secret(secretKey),
      sessionToken: undefined,
      idleMs: 300,
    });
    // Not by that store: a busy machine may need longer than its 300 ms for a bucket.
    const client = minioClient(inject('minio'));
    await client.makeBucket(bucket);
    await client.putObject(bucket, 'object', Buffer.alloc(MiB));
  });
  afterAll(async () => {
    store.close();
    await proxy.close();
    const client = minioClient(inject('minio'));
    await client.removeObject(bucket, 'object');
    await client.removeBucket(bucket);
  });

  test('a store that takes a request and says nothing is unavailable', async () => {
    proxy.inject({ when: is('HEAD', 'object'), fault: { hang: true } });
    await expect(store.head('object')).rejects.toEqual(unavailable);
  });

  test('a body that stops moving is unavailable', async () => {
    proxy.inject({ when: is('GET', 'object'), fault: { stallResponseAfter: 1000 } });
    await expect(getBytes(store, 'object', { maxBytes: MiB })).rejects.toEqual(unavailable);
  });

  test('a store that is not there is unavailable', async () => {
    const endpoint = 'http://127.0.0.1:1';
    const key = new Secret('some-key');
    const options = { endpoint, bucket, createBucket: false, region: 'us-east-1', sessionToken: undefined };
    const gone = openS3Store({ ...options, accessKey: key, secretKey: key });
    await expect(gone.head('object')).rejects.toEqual(unavailable);
  });
});
