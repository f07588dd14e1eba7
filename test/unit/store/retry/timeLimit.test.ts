import { Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { isRuntimeError, RuntimeError } from '../../../../src/base/errors.ts';
import type { ObjectStore, StoredObject } from '../../../../src/store/objectStore.ts';
import { withRetry } from '../../../../src/store/retry/retry.ts';
import { fakeClock } from '../../../support/fakeClock.ts';

const LIMIT_MS = 5000;
const SIZE = 1024 * 1024;

/** A store of one object, whose bytes come as `body` sends them; everything else never answers. */
function storeOf(body: (start: number) => Readable): ObjectStore {
  const never = (signal: AbortSignal | undefined) =>
    new Promise<never>((_, reject) =>
      signal?.addEventListener('abort', () => reject(signal.reason as Error)),
    );
  const store: Partial<ObjectStore> = {
    name: 'the store',
    get: async (key, { range, signal } = {}) => {
      if (key === 'silent') return await never(signal);
      const source = body(range?.start ?? 0);
      signal?.addEventListener('abort', () => source.destroy(signal.reason as Error));
      return { key, size: SIZE, etag: 'e', body: source } as unknown as StoredObject;
    },
    head: (_key, options) => never(options?.signal),
    put: (_key, _body, options) => never(options?.signal),
    delete: (_key, options) => never(options?.signal),
    now: (options) => never(options?.signal),
    list: async function* (_prefix, options) {
      yield { key: 'first', size: 1 } as never;
      await never(options?.signal);
    },
  };
  return store as ObjectStore;
}

async function all(from: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of from);
}

const unavailable = expect.objectContaining({ code: 'unavailable', retryable: false });

function patient(store: ObjectStore) {
  const clock = fakeClock();
  const policy = { deadlineMs: LIMIT_MS, baseMs: 100, capMs: 3000 };
  return { clock, store: withRetry(store, policy, { clock, random: () => 0.5 }) };
}

const nothing = () => Readable.from([]);
const generated = (bytes: AsyncGenerator<Uint8Array>) => Readable.from(bytes, { objectMode: false });

test.each<[string, (store: ObjectStore) => Promise<unknown>]>([
  ['get', (store) => store.get('silent')],
  ['head', (store) => store.head('k')],
  ['a small put', (store) => store.put('k', Buffer.from('head'))],
  ['delete', (store) => store.delete('k')],
  ['now', (store) => store.now()],
  ['list', (store) => all(store.list(''))],
])('%s: a store that takes the request and says nothing is given up', async (_what, call) => {
  const { clock, store } = patient(storeOf(nothing));
  const outcome = call(store).catch((error: unknown) => error);
  await clock.advance(LIMIT_MS * 1.3);
  expect(await Promise.race([outcome, turn('still waiting')])).toEqual(unavailable);
});

test.each<[string, (start: number, sleep: (ms: number) => Promise<void>) => Readable]>([
  [
    'stops half-way',
    () => {
      const body = new Readable({ read: () => undefined });
      body.push(new Uint8Array(1000));
      return body;
    },
  ],
  [
    'comes byte by byte',
    (_start, sleep) =>
      generated(
        (async function* () {
          for (;;) {
            yield new Uint8Array(1);
            await sleep(100);
          }
        })(),
      ),
  ],
  [
    'is cut after a few bytes each time',
    (_start, sleep) =>
      generated(
        (async function* () {
          await sleep(100);
          yield new Uint8Array(5);
          throw new RuntimeError('unavailable', 'cut', { retryable: true });
        })(),
      ),
  ],
])('a body that %s is given up', async (_what, body) => {
  const { clock, store } = patient(storeOf((start) => body(start, (ms) => clock.sleep(ms))));
  const reading = store
    .get('object')
    .then(({ body }) => all(body))
    .catch((error: unknown) => error);
  await clock.advance(LIMIT_MS * 1.6);
  const end = await Promise.race([reading, turn('still reading')]);
  expect(isRuntimeError(end, 'unavailable'), String(end)).toBe(true);
});

test('a body that gets on may take longer than the limit, and so may its reader', async () => {
  const pieces = 16;
  const { clock, store } = patient(
    storeOf(() =>
      generated(
        (async function* () {
          for (let piece = 0; piece < pieces; piece++) {
            await clock.sleep(LIMIT_MS / 2);
            yield new Uint8Array(SIZE / pieces);
          }
        })(),
      ),
    ),
  );
  let length = 0;
  const reading = (async () => {
    for await (const chunk of (await store.get('object')).body) {
      length += (chunk as Buffer).length;
      if (length === SIZE / pieces) await clock.sleep(LIMIT_MS * 4);
    }
  })();
  await clock.advance(LIMIT_MS * 20);
  await reading;
  expect(length).toBe(SIZE);
});
