import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject, test } from 'vitest';
import { Secret } from '../../../src/base/secret.ts';
import { createShipper, dayKey } from '../../../src/bot/logs/ship/createShipper.ts';
import { openS3Store } from '../../../src/store/s3/s3.ts';
import { collect } from '../../support/collect.ts';
import { temporaryDirectory } from '../../support/files/temporary.ts';
import { exitOf } from '../../support/process/captureChild.ts';
import { type Fault, startFaultProxy } from '../../support/store/faultProxy.ts';
import { journalOf, messages } from '../../support/store/journal.ts';
import { minioClient } from '../../support/store/minio.ts';
import { testBucket } from '../../support/store/testBucket.ts';

const noon = Date.UTC(2026, 10, 21, 12);
const key = dayKey('bot', '20261121');
const minio = inject('minio');
const client = minioClient(minio);

async function place() {
  const bucket = testBucket('logs');
  await client.makeBucket(bucket);
  return {
    bucket,
    dir: await temporaryDirectory(),
    open: (endpoint = minio.endpoint) =>
      openS3Store({
        endpoint,
        region: 'us-east-1',
        accessKey: new Secret(minio.accessKey),
        secretKey: new Secret(minio.secretKey),
        sessionToken: undefined,
        bucket,
        createBucket: true,
      }),
    read: async () => {
      const chunks = (await collect(await client.getObject(bucket, key))) as Buffer[];
      return messages(Buffer.concat(chunks).toString('utf8'));
    },
    // Of the whole key: for all keys MinIO may go on listing what is gone, where two have ended one upload at once.
    unfinishedUploads: () => collect(client.listIncompleteUploads(bucket, key, true)),
  };
}

const numbered = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => String(from + i).padStart(200, '0'));
const text = (from: number, to: number) =>
  numbered(from, to)
    .map((line) => `${line}\n`)
    .join('');

/** The index of the first line that is not where it should be; -1: every line is there once, in order. */
function firstWrong(lines: readonly string[], count: number): number {
  if (lines.length !== count) return Math.min(lines.length, count);
  return lines.findIndex((line, index) => Number(line) !== index);
}

test('a shipping process killed at any moment neither repeats nor drops a line', async () => {
  const { bucket, dir, open, read, unfinishedUploads } = await place();
  const journal = journalOf(dir, { now: () => noon });
  const script = join(import.meta.dirname, '../../support/store/shipLoop.ts');
  const arguments_ = [script, minio.endpoint, minio.accessKey, minio.secretKey, bucket, dir];
  let written = 0;
  for (let life = 0; life < 12; life += 1) {
    const child = spawn(process.execPath, arguments_, { stdio: ['ignore', 'inherit', 'inherit'] });
    const killAt = Date.now() + 250 + Math.random() * 300;
    while (Date.now() < killAt) {
      journal.write(text(written, written + 60));
      written += 60;
      await sleep(5);
    }
    child.kill('SIGKILL');
    await exitOf(child);
  }
  journal.close();
  await createShipper({ store: open(), bot: 'bot', dir }).ship({ final: true });
  expect(firstWrong(await read(), written)).toBe(-1);
  expect(await unfinishedUploads()).toEqual([]);
});

const writes = { small: 1_000, large: 30_000 };
const faults: [string, Fault][] = [
  ['the answer is lost', { dropResponse: true }],
  ['the connection is reset', { reset: true }],
  ['the request is cut', { cutRequestAfter: 1000 }],
  ['the store is too busy', { status: 503, code: 'SlowDown' }],
];

test.each(
  faults.flatMap(([name, fault]) => (['small', 'large'] as const).map((size) => ({ name, fault, size }))),
)(
  'an object that is $size: $name at every request in turn, and nothing is repeated or missing',
  async ({ fault, size }) => {
    const { dir, open, read, unfinishedUploads } = await place();
    const proxy = await startFaultProxy(minio.port);
    const journal = journalOf(dir, { now: () => noon });
    let written = writes[size];
    journal.write(text(0, written));
    await createShipper({ store: open(), bot: 'bot', dir }).ship();
    const shipper = createShipper({ store: open(proxy.endpoint), bot: 'bot', dir });
    for (let strike = 1; strike <= 6; strike += 1) {
      journal.write(text(written, written + 100));
      written += 100;
      const first = proxy.requests.length;
      const takeBack = proxy.inject({ when: ({ count }) => count === first + strike, fault });
      await shipper.ship().catch((error: Error) => expect(error).toMatchObject({ code: 'unavailable' }));
      takeBack();
    }
    expect(proxy.requests.filter((request) => request.fault !== undefined).length).toBeGreaterThan(0);
    await shipper.ship({ final: true });
    await proxy.close();
    expect(firstWrong(await read(), written)).toBe(-1);
    expect(await unfinishedUploads()).toEqual([]);
  },
);

test("two instances append to one large object and keep each other's lines", async () => {
  const { dir, open, read, unfinishedUploads } = await place();
  const first = journalOf(dir, { now: () => noon });
  first.write(text(0, 30_000));
  await createShipper({ store: open(), bot: 'bot', dir }).ship();
  const dirs = [await temporaryDirectory(), await temporaryDirectory()];
  await Promise.all(
    dirs.map(async (own, which) => {
      const journal = journalOf(own, { now: () => noon });
      const shipper = createShipper({ store: open(), bot: 'bot', dir: own });
      for (let i = 0; i < 8; i += 1) {
        journal.write(`${which} ${i}\n`);
        await shipper.ship();
      }
    }),
  );
  const lines = await read();
  expect(firstWrong(lines.slice(0, 30_000), 30_000)).toBe(-1);
  for (const which of ['0', '1']) {
    const own = lines.slice(30_000).filter((line) => line.startsWith(`${which} `));
    expect(own).toEqual(Array.from({ length: 8 }, (_, i) => `${which} ${i}`));
  }
  expect(await unfinishedUploads()).toEqual([]);
});
