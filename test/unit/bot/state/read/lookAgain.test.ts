import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { RuntimeError } from '../../../../../src/base/errors.ts';
import { forkState } from '../../../../../src/bot/state/history/forkState.ts';
import { lookAgain } from '../../../../../src/bot/state/read/lookAgain.ts';
import type { ObjectStore, StoredObject } from '../../../../../src/store/objectStore.ts';
import { signal, TestBot } from '../support/bot.ts';
import { treeOf } from '../support/treeOf.ts';

type Answer = (stored: StoredObject) => Promise<StoredObject>;

const answered = (stored: StoredObject, bytes: Buffer, size = stored.size): StoredObject => ({
  ...stored,
  size,
  body: Readable.from([bytes], { objectMode: false }),
});
const bytesOf = async ({ body }: StoredObject) => Buffer.concat(await body.toArray());

const wrong: Record<string, Answer> = {
  'that there is nothing': async ({ key, body }) => {
    body.destroy();
    throw new RuntimeError('not-found', `${key} is not there`, { path: key });
  },
  'with a bit that is another': async (stored) => {
    const bytes = await bytesOf(stored);
    bytes[bytes.length >> 1]! ^= 1;
    return answered(stored, bytes);
  },
  'with a beginning, after which it is said to be another': async (stored) => {
    stored.body.destroy();
    throw new RuntimeError('conflict', `${stored.key} is another`, { path: stored.key });
  },
  'with the bytes of something else': async (stored) =>
    answered(stored, randomBytes((await bytesOf(stored)).length)),
  'with an error in the place of an object': async (stored) => {
    stored.body.destroy();
    const error = Buffer.from('<Error><Code>InternalError</Code></Error>');
    return answered(stored, error, error.length);
  },
};

/** A store that answers its GETs number `from` to `to` (from 1) wrongly, counted are those of keys that begin with `prefix`. */
function misled(inner: ObjectStore, answer: Answer, from: number, to: number, prefix = '') {
  const seen = { gets: 0 };
  const get: ObjectStore['get'] = async (key, options) => {
    if (!key.startsWith(prefix)) return await inner.get(key, options);
    seen.gets += 1;
    const isWrong = seen.gets >= from && seen.gets <= to;
    // What was put where it belongs would hide what is answered.
    const stored = await inner.get(key, isWrong ? { ...options, into: undefined } : options);
    return isWrong ? await answer(stored) : stored;
  };
  return { store: { ...bound(inner), get }, seen };
}

/** Its methods, whatever they are called on. */
const bound = (store: ObjectStore): ObjectStore => ({
  name: store.name,
  get: (...args) => store.get(...args),
  head: (...args) => store.head(...args),
  put: (...args) => store.put(...args),
  append: (...args) => store.append(...args),
  copy: (...args) => store.copy(...args),
  list: (...args) => store.list(...args),
  delete: (...args) => store.delete(...args),
  now: (...args) => store.now(...args),
  close: () => undefined,
});

/** Two snapshots; the second has all of the first, changed. */
async function history(bot: TestBot, bytes: number): Promise<string[]> {
  const { dir, publisher } = await bot.start('a');
  for (const name of ['data', 'same']) writeFileSync(join(dir, name), randomBytes(bytes));
  await publisher.publish({ signal });
  writeFileSync(join(dir, 'data'), randomBytes(bytes));
  await publisher.publish({ signal });
  return treeOf(dir);
}

const sizes = { 'in packs': 200_000, 'in the head': 1000 };

test.each(
  Object.entries(sizes).flatMap((size) => Object.entries(wrong).map((answer) => [...size, ...answer])),
)(
  'a state %s (%i): each request answered once %s, and the start has the newest',
  async (_where, bytes, _what, answer) => {
    await using bot = await TestBot.openHasty();
    const newest = await history(bot, bytes as number);
    const right = misled(bot.store, answer as Answer, 0, 0);
    await bot.start('right', { store: right.store });
    for (let at = 1; at <= right.seen.gets; at++) {
      bot.warnings.length = 0;
      const { store, seen } = misled(bot.store, answer as Answer, at, at);
      const { dir, report } = await bot.start(`b${at}`, { store });
      expect(seen.gets).toBeGreaterThan(right.seen.gets);
      expect(report.fellBackTo).toBe(undefined);
      expect(treeOf(dir)).toEqual(newest);
      expect(bot.warnings).toEqual([expect.stringContaining('rightly when it was asked again')]);
    }
    expect(right.seen.gets).toBeGreaterThan(0);
  },
);

test('what is wrong each time is damaged: the snapshot before it', async () => {
  await using bot = await TestBot.openHasty();
  await history(bot, 200_000);
  const answer = wrong['with a bit that is another']!;
  // The head, and then the manifest of the newest, as often as it is asked for.
  const { report } = await bot.start('b', { store: misled(bot.store, answer, 2, 4).store });
  expect(report.fellBackTo).toBe(1);
});

test('what becomes another each time is not damaged: nothing is known of it, and the bot does not start from less', async () => {
  await using bot = await TestBot.openHasty();
  await history(bot, 300_000);
  const answer = wrong['with a beginning, after which it is said to be another']!;
  const { store } = misled(bot.store, answer, 1, Number.POSITIVE_INFINITY, `${bot.name}/packs/`);
  await expect(bot.start('b', { store })).rejects.toMatchObject({ code: 'unavailable', retryable: true });
});

test('a store that ignores conditions, and says once that there is no head: it is not replaced by that of a new bot', async () => {
  await using bot = await TestBot.openHasty();
  const newest = await history(bot, 1000);
  const { store } = misled(bot.store, wrong['that there is nothing']!, 1, 1);
  const put: ObjectStore['put'] = (key, body, options = {}) =>
    store.put(key, body, { ...options, ifMatch: undefined, ifNoneMatch: undefined });
  const { dir, claim } = await bot.start('b', { store: { ...store, put } });
  expect(claim.generation).toBe(2);
  expect(treeOf(dir)).toEqual(newest);
});

test('a fork of a bot whose head is once not found has its newest snapshot', async () => {
  await using bot = await TestBot.openHasty();
  await history(bot, 1000);
  const { store } = misled(bot.store, wrong['that there is nothing']!, 1, 1, `${bot.name}/`);
  const context = { ...bot.context(store), bot: 'fork' };
  expect(await forkState(context, { from: bot.name, sequence: undefined, signal })).toEqual({ sequence: 1 });
});

test('what is wrong each time says how often it was looked at, and keeps its code and hint; the waits are short', async () => {
  const waits: number[] = [];
  const clock = { now: () => 0, elapsed: () => 0, sleep: async (ms: number) => void waits.push(ms) };
  const wrong = new RuntimeError('damaged', 'too large', { op: 'code.unpack', hint: 'Make it smaller.' });
  const look = () => Promise.reject(wrong);
  await expect(
    lookAgain({ clock, warn: () => {} }, look, new AbortController().signal),
  ).rejects.toMatchObject({
    code: 'damaged',
    message: 'too large (the store was asked 3 times)',
    op: 'code.unpack',
    hint: 'Make it smaller.',
  });
  expect(waits.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(1000);
});

/** Six packs of one small file each; and large ones, which threads unpack. */
const manyAnswers: Record<string, (bot: TestBot) => Promise<string[]>> = {
  small: async (bot) => {
    const { dir, publisher } = await bot.start('a');
    for (let n = 0; n < 6; n++) {
      writeFileSync(join(dir, `file-${n}`), randomBytes(200_000));
      await publisher.publish({ signal });
    }
    return treeOf(dir);
  },
  large: async (bot) => {
    const { dir, publisher } = await bot.start('a');
    writeFileSync(join(dir, 'before'), 'less');
    await publisher.publish({ signal });
    writeFileSync(join(dir, 'large'), randomBytes(36 << 20));
    for (let n = 0; n < 40; n++) writeFileSync(join(dir, `file-${n}`), randomBytes(150_000));
    await publisher.publish({ signal });
    return treeOf(dir);
  },
};

test.each(Object.entries(manyAnswers))(
  'a %s state of which every first answer for a pack has a wrong bit, in each look: the newest, whole',
  async (_, fill) => {
    await using bot = await TestBot.openHasty();
    const newest = await fill(bot);
    const asked = new Map<string, number>();
    const get: ObjectStore['get'] = async (key, options) => {
      if (!key.includes('/packs/')) return await bot.store.get(key, options);
      const what = `${key} ${options?.range?.end}`;
      const count = (asked.get(what) ?? 0) + 1;
      asked.set(what, count);
      if (count % 2 === 0) return await bot.store.get(key, options);
      // What was put where it belongs would hide what is answered.
      return await wrong['with a bit that is another']!(
        await bot.store.get(key, { ...options, into: undefined }),
      );
    };
    const { dir, report } = await bot.start('b', { store: { ...bound(bot.store), get } });
    expect(asked.size).toBeGreaterThan(4);
    expect(report.fellBackTo).toBe(undefined);
    expect(treeOf(dir)).toEqual(newest);
  },
);
