import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { RuntimeError } from '../../../../../src/base/errors.ts';
import { createShipper } from '../../../../../src/bot/logs/ship/createShipper.ts';
import { shippedLines } from '../../../../../src/bot/logs/shipped/shippedLines.ts';
import { openFileStore } from '../../../../../src/store/file/file.ts';
import type { ObjectStore } from '../../../../../src/store/objectStore.ts';
import { collect } from '../../../../support/collect.ts';
import { temporaryDirectory } from '../../../../support/files/temporary.ts';
import { journalOf, messagesIn } from '../../../../support/store/journal.ts';

const noon = Date.UTC(2026, 10, 21, 12);
const key = 'logs/bot/20261121.log';

async function place() {
  const root = await temporaryDirectory();
  const dir = await temporaryDirectory();
  const store = openFileStore(root, 'bot-logs');
  const read = (name = key) => messagesIn(root, 'bot-logs', name);
  return { dir, store, read };
}

const at = (time: number) => ({ now: () => time });
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => String(from + i));

/** The next `put`s and `append`s fail: before the store gets them, or after it has done them. */
function failing(store: ObjectStore, plan: ('before' | 'after')[]): ObjectStore {
  const lost = new RuntimeError('unavailable', 'the connection was reset', { retryable: true });
  const during = async <T>(call: () => Promise<T>): Promise<T> => {
    if (plan[0] === 'before') {
      plan.shift();
      throw lost;
    }
    const result = await call();
    if (plan.shift() === 'after') throw lost;
    return result;
  };
  return {
    ...store,
    put: (...args) => during(() => store.put(...args)),
    append: (...args) => during(() => store.append(...args)),
  };
}

test("each call brings the new lines behind the day's object", async () => {
  const { dir, store, read } = await place();
  const journal = journalOf(dir, at(noon));
  const shipper = createShipper({ store, bot: 'bot', dir });
  expect(await shipper.ship()).toEqual({ lines: 0, bytes: 0 });
  journal.write('one\ntwo\nthr');
  expect((await shipper.ship()).lines).toBe(2);
  expect(shipper.lag()).toBe(0);
  expect(read()).toEqual(['one', 'two']);
  journal.write('ee\n');
  journal.write('four');
  journal.close();
  await shipper.ship({ final: true });
  expect(read()).toEqual(['one', 'two', 'three', 'four']);
});

test('a shipper that is started again neither repeats nor drops a line', async () => {
  const { dir, store, read } = await place();
  const journal = journalOf(dir, at(noon));
  for (let i = 0; i < 10; i += 1) {
    journal.write(`${i}\n`);
    await createShipper({ store, bot: 'bot', dir }).ship();
  }
  expect(read()).toEqual(range(0, 10));
});

test('lines go to the UTC day of their capture', async () => {
  const { dir, store, read } = await place();
  let now = Date.UTC(2026, 10, 21, 23, 59, 59, 999);
  const journal = journalOf(dir, { now: () => now });
  journal.write('before midnight\n');
  now += 1;
  journal.write('after\n');
  expect((await createShipper({ store, bot: 'bot', dir }).ship()).lines).toBe(2);
  expect(read()).toEqual(['before midnight']);
  expect(read('logs/bot/20261122.log')).toEqual(['after']);
});

test.each(['before', 'after'] as const)(
  'a write whose answer is lost %s it happened is made once',
  async (when) => {
    const { dir, store, read } = await place();
    const journal = journalOf(dir, at(noon));
    journal.write('one\n');
    // The same daemon, and one started again in its place; the first object and a later one.
    for (const [index, again] of [true, false, true, false].entries()) {
      journal.write(`${index} a\n`);
      const shipper = createShipper({ store: failing(store, [when]), bot: 'bot', dir });
      await expect(shipper.ship()).rejects.toThrow('reset');
      journal.write(`${index} b\n`);
      await (again ? shipper : createShipper({ store, bot: 'bot', dir })).ship();
    }
    const written = range(0, 4).flatMap((i) => [`${i} a`, `${i} b`]);
    expect(read()).toEqual(['one', ...written]);
  },
);

test('a write that failed and then lost to another instance goes behind its lines', async () => {
  const { dir, store, read } = await place();
  const other = await temporaryDirectory();
  const [ours, theirs] = [journalOf(dir, at(noon)), journalOf(other, at(noon))];
  ours.write('ours 1\n');
  const shipper = createShipper({ store: failing(store, ['before', 'after']), bot: 'bot', dir });
  await expect(shipper.ship()).rejects.toThrow('reset');
  theirs.write('theirs 1\n');
  await createShipper({ store, bot: 'bot', dir: other }).ship();
  await expect(shipper.ship()).rejects.toThrow('reset');
  theirs.write('theirs 2\n');
  await createShipper({ store, bot: 'bot', dir: other }).ship();
  ours.write('ours 2\n');
  await shipper.ship();
  expect(read()).toEqual(['theirs 1', 'ours 1', 'theirs 2', 'ours 2']);
});

test('two instances that ship at the same time lose nothing of each other', async () => {
  const { dir, store, read } = await place();
  const dirs = [dir, await temporaryDirectory()];
  await Promise.all(
    dirs.map(async (own, which) => {
      const journal = journalOf(own, at(noon));
      const shipper = createShipper({ store, bot: 'bot', dir: own });
      for (let i = 0; i < 30; i += 1) {
        journal.write(`${which} ${i}\n`);
        await shipper.ship();
      }
    }),
  );
  for (const which of ['0', '1']) {
    const own = read().filter((line) => line.startsWith(which));
    expect(own).toEqual(range(0, 30).map((i) => `${which} ${i}`));
  }
});

test('above 5 MiB only what is new is sent', async () => {
  const { dir, store, read } = await place();
  const sent: number[] = [];
  const counting: ObjectStore = {
    ...store,
    put: (name, body, options) => {
      sent.push((body as Uint8Array).length);
      return store.put(name, body, options);
    },
    append: (name, base, tail, options) => {
      sent.push(tail.length);
      return store.append(name, base, tail, options);
    },
  };
  const journal = journalOf(dir, at(noon));
  const shipper = createShipper({ store: counting, bot: 'bot', dir });
  const line = 'x'.repeat(1000);
  for (let i = 0; i < 6; i += 1) {
    journal.write(`${line}\n`.repeat(1000));
    await shipper.ship();
  }
  expect(read()).toEqual(Array.from({ length: 6000 }, () => line));
  expect(sent.slice(0, 5).map((bytes) => Math.round(bytes / 1e6))).toEqual([1, 2, 3, 4, 5]);
  expect(sent[5]).toBeLessThan(1.2e6);
});

test('what is shipped is deleted; an unfinished line keeps its files', async () => {
  const { dir, store, read } = await place();
  const journal = journalOf(dir, { now: () => noon, segmentBytes: 1 << 20 });
  const shipper = createShipper({ store, bot: 'bot', dir });
  const segments = () => readdirSync(dir).filter((name) => name.endsWith('.journal')).length;
  const long = 'y'.repeat(300_000);
  journal.write(`first\n`);
  journal.write(long);
  journal.write('z\n'.repeat(150_000), 'stderr');
  expect(segments()).toBe(2);
  await shipper.ship();
  expect(segments()).toBe(2);
  journal.write(`${long}\n`);
  await createShipper({ store, bot: 'bot', dir }).ship();
  expect(segments()).toBe(1);
  expect(
    read()
      .filter((message) => message !== 'z')
      .map((message) => message.length),
  ).toEqual([5, 600_000]);
});

test('lines that were dropped for want of room are counted where they are missing, also in the middle of a write', async () => {
  const { dir, store, read } = await place();
  const journal = journalOf(dir, { now: () => noon, segmentBytes: 1 << 20 });
  let next = 0;
  const write = (count: number) => {
    for (const end = next + count; next < end; next += 1)
      journal.write(`${String(next).padStart(100, '0')}\n`);
  };
  const shipper = createShipper({ store: failing(store, ['before']), bot: 'bot', dir });
  write(10);
  await expect(shipper.ship()).rejects.toThrow('reset');
  write(40_000);
  await shipper.ship();
  const lines = read();
  const [note, first] = lines;
  expect(note).toMatch(/^runtime: \d+ earlier lines are missing here/);
  expect(Number(note?.match(/\d+/)?.[0])).toBe(Number(first));
  expect(lines.slice(1).map(Number)).toEqual(range(Number(first), next).map(Number));
});

const wrongAnswers: Record<string, (bytes: Buffer) => Buffer> = {
  'an error in its place': () => Buffer.from('<Error><Code>InternalError</Code></Error>'),
  'a part of it': (bytes) => bytes.subarray(0, bytes.length - 7),
  'another object of the same length': (bytes) => Buffer.alloc(bytes.length, 'x\n'),
  nothing: () => Buffer.alloc(0),
};

test.each(Object.entries(wrongAnswers))(
  'one wrong answer (%s) for what a day has already: no line of it is lost',
  async (_what, change) => {
    const { dir, store, read } = await place();
    const first = journalOf(dir, at(noon));
    first.write('one\ntwo\n');
    first.close();
    await createShipper({ store, bot: 'bot', dir }).ship({ final: true });

    let wrong = 0;
    const misled = (times: number): ObjectStore => ({
      ...store,
      get: async (...args) => {
        const object = await store.get(...args);
        if (wrong === times) return object;
        wrong += 1;
        const bytes = Buffer.concat(await object.body.toArray());
        return { ...object, body: Readable.from([change(bytes)], { objectMode: false }) };
      },
    });
    // Another container, which has to read what is there.
    const other = await temporaryDirectory();
    const second = journalOf(other, at(noon));
    second.write('three\n');
    second.close();
    await createShipper({ store: misled(1), bot: 'bot', dir: other }).ship({ final: true });
    expect(wrong).toBe(1);
    expect(read()).toEqual(['one', 'two', 'three']);

    const third = await temporaryDirectory();
    const last = journalOf(third, at(noon));
    last.write('four\n');
    last.close();
    const shipper = createShipper({ store: misled(1000), bot: 'bot', dir: third });
    await expect(shipper.ship({ final: true })).rejects.toMatchObject({
      code: 'unavailable',
      retryable: true,
    });
    expect(read()).toEqual(['one', 'two', 'three']);
    await createShipper({ store, bot: 'bot', dir: third }).ship({ final: true });
    expect(read()).toEqual(['one', 'two', 'three', 'four']);
  },
);

test.each(['', 'edited by hand'])(
  'a day that people have put (%j), of which nobody knows the checksum, goes on',
  async (text) => {
    const { dir, store } = await place();
    await store.put(key, Buffer.from(text));
    const journal = journalOf(dir, at(noon));
    journal.write('one\n');
    journal.close();
    // As a store in whose objects the tools of others have put no checksum.
    const head: ObjectStore['head'] = async (...args) => ({
      ...(await store.head(...args)),
      sha256: undefined,
    });
    await createShipper({ store: { ...store, head }, bot: 'bot', dir }).ship({ final: true });
    const { body } = await store.get(key);
    const shipped = Buffer.concat(await body.toArray()).toString();
    expect([shipped.slice(0, text.length), shipped.includes('one')]).toEqual([text, true]);
  },
);

/** A store that tells a checksum of this day that its bytes do not have, as long as they are these. */
async function withWrongSum(store: ObjectStore): Promise<ObjectStore> {
  const { etag } = await store.head(key);
  return {
    ...store,
    head: async (name, options) => {
      const info = await store.head(name, options);
      return info.etag === etag ? { ...info, sha256: '0'.repeat(64) } : info;
    },
  };
}

test('a day whose bytes do not have the checksum that the store tells: kept, told, and the lines go on', async () => {
  const { dir, store, read } = await place();
  await store.put(key, Buffer.from('{"timestamp":"2026-11-21T12:00:00.000Z","message":"old"}\n'));
  const wrong = await withWrongSum(store);
  const told: unknown[] = [];
  const shipper = () =>
    createShipper({ store: wrong, bot: 'bot', dir, warn: (message, fields) => told.push([message, fields]) });
  const journal = journalOf(dir, at(noon));
  journal.write('one\n');
  // In one process, or a new one each time.
  const first = shipper();
  for (const each of [first, shipper()]) {
    await expect(each.ship()).rejects.toMatchObject({
      code: 'unavailable',
      hint: expect.stringContaining('damaged in the store'),
    });
    expect(read()).toEqual(['old']);
  }
  journal.write('two\n');
  const third = shipper();
  await third.ship();
  journal.write('three\n');
  await third.ship();
  expect(read()).toEqual(['one', 'two', 'three']);
  expect(told).toEqual([
    [expect.stringContaining('kept under another name'), expect.objectContaining({ code: 'unavailable' })],
  ]);
  const kept = (await collect(store.list('logs/bot/'))).map((object) => object.key);
  expect(kept).toEqual([expect.stringMatching(/^logs\/bot\/20261121\.damaged-[0-9a-f]{8}\.log$/), key]);
  expect(read(kept[0])).toEqual(['old']);
  const lines = shippedLines(store, 'bot', undefined);
  const all = await collect(lines.next(new AbortController().signal));
  expect(all.map((line) => JSON.parse(line.toString()).message)).toEqual(['old', 'one', 'two', 'three']);
});

test('a day of which the tag says that its bytes are the store’s own, and only the checksum is wrong, goes on at once', async () => {
  const { dir, store, read } = await place();
  const old = '{"timestamp":"2026-11-21T12:00:00.000Z","message":"old"}\n';
  await store.put(key, Buffer.from(old));
  const { etag } = await store.head(key);
  const md5 = `"${createHash('md5').update(old).digest('hex')}"`;
  const toTag = <T extends { readonly etag: string }>(info: T): T =>
    info.etag === etag ? { ...info, etag: md5, sha256: '0'.repeat(64) } : info;
  const fromTag = (tag: string | undefined) => (tag === md5 ? etag : tag);
  const wrong: ObjectStore = {
    ...store,
    head: async (...args) => toTag(await store.head(...args)),
    get: async (name, options) =>
      toTag(await store.get(name, { ...options, ifMatch: fromTag(options?.ifMatch) })),
    put: (name, body, options) => store.put(name, body, { ...options, ifMatch: fromTag(options?.ifMatch) }),
  };
  const journal = journalOf(dir, at(noon));
  journal.write('one\n');
  await createShipper({ store: wrong, bot: 'bot', dir }).ship();
  expect(read()).toEqual(['old', 'one']);
});

test('the checksum of a day that is only appended to is not asked for', async () => {
  const { dir, store, read } = await place();
  const line = `{"timestamp":"2026-11-21T12:00:00.000Z","message":"old"}${' '.repeat(40)}\n`;
  await store.put(key, Buffer.from(line.repeat(60_000)));
  const sums: unknown[] = [];
  const asked: ObjectStore = {
    ...store,
    head: async (...args) => {
      const info = await store.head(...args);
      sums.push(info.sha256);
      return info;
    },
  };
  const journal = journalOf(dir, at(noon));
  journal.write('one\n');
  await createShipper({ store: asked, bot: 'bot', dir }).ship();
  expect(sums).toEqual([undefined]);
  expect(read().at(-1)).toBe('one');
});
