import { expect, test } from 'vitest';
import { RuntimeError } from '../../../../src/base/errors.ts';
import type { ObjectStore } from '../../../../src/store/objectStore.ts';
import { away, fleet, placeOf } from '../../../support/host/fleet.ts';

const isTable = (key: string) => key.endsWith('owners.json');

/** Told of each answer to a question for the table, before it is given. */
function watched(
  store: ObjectStore,
  before: (call: 'head' | 'get' | 'put') => Promise<void> | void,
): ObjectStore {
  const first = async (call: 'head' | 'get' | 'put', key: string) => {
    if (isTable(key)) await before(call);
  };
  return {
    ...store,
    head: async (key, options) => {
      await first('head', key);
      return store.head(key, options);
    },
    get: async (key, options) => {
      await first('get', key);
      return store.get(key, options);
    },
    put: async (key, body, options) => {
      const done = await store.put(key, body, options);
      await first('put', key);
      return done;
    },
  };
}

test('one look that fails makes no bot this host’s own', async () => {
  const { store, member, until } = fleet();
  const a = member('aaa', ['x']);
  a.start();
  await until(() => expect(a.type('x')).toBe('ours'));
  let failed = 0;
  const seen: string[] = [];
  const b = member('bbb', ['x'], {
    open: async () =>
      watched(store, () => {
        // What the loop is told between the look that failed and the next one.
        if (failed > 0) seen.push(b.type('x'));
        failed += 1;
        if (failed === 1) throw new RuntimeError('unavailable', 'one answer was lost');
      }),
  });
  b.start();
  await until(() => expect(b.type('x')).toBe('elsewhere'));
  expect(seen[0]).toBe('asking');
});

test('a process that was stopped for an hour while the store was away does not go on with what it knew', async () => {
  const { usual, clock, member, until } = fleet();
  const b = member('bbb', ['x', 'y'], { open: away });
  b.start();
  await until(() => expect(b.types()).toEqual(['ours', 'ours']));
  // It is stopped; another one starts, and its clock with it.
  clock.set(clock.now() + 3_600_000);
  expect(b.types()).toEqual(['asking', 'asking']);
  b.reach(usual);
  await until(() => expect(b.types()).toEqual(['ours', 'ours']));
});

test('a process that was stopped while it wrote the table does not believe that it has just been written', async () => {
  const { store, clock, member } = fleet();
  let hour = 3_600_000;
  const a = member('aaa', ['x'], {
    open: async () =>
      watched(store, (call) => {
        if (call !== 'put') return;
        clock.set(clock.now() + hour);
        hour = 0;
      }),
  });
  a.start();
  while (hour > 0) await clock.advance(1_000);
  expect(a.type('x')).toBe('asking');
});

test('each question of a look has a limit of its own: a store that takes its time is not taken for away', async () => {
  const { store, member, until } = fleet();
  const a = member('aaa', ['x']);
  a.start();
  await until(() => expect(a.type('x')).toBe('ours'));
  const limits = new Map<string, AbortSignal | undefined>();
  const b = member('bbb', ['x', 'y'], {
    open: async () => ({
      ...store,
      get: async (key, options) => {
        if (isTable(key)) limits.set('get', options?.signal);
        return store.get(key, options);
      },
      list: (prefix, options) => {
        limits.set('list', options?.signal);
        return store.list(prefix, options);
      },
      put: async (key, body, options) => {
        limits.set(isTable(key) ? 'put' : 'beat', options?.signal);
        return store.put(key, body, options);
      },
    }),
  });
  b.start();
  await until(() => expect(b.types()).toEqual(['elsewhere', 'ours']));
  expect([...limits.keys()].sort()).toEqual(['beat', 'get', 'list', 'put']);
  expect(new Set(limits.values()).size).toBe(4);
  expect([...limits.values()]).not.toContain(undefined);
});

test.each([
  ['each conditional write', () => true],
  ['each but those that say that a host lives', isTable],
])('a store that refuses %s starts nothing, and it is said why and what to do', async (_, refuses) => {
  const { store, usual, warned, member, until } = fleet();
  const writes: string[] = [];
  const a = member('aaa', ['x'], {
    open: async () => ({
      ...store,
      put: async (key, body, options) => {
        if (!refuses(key)) return store.put(key, body, options);
        writes.push(key);
        throw new RuntimeError('conflict', `${key}: status 412`);
      },
    }),
  });
  a.start();
  await until(() => expect(warned.length).toBeGreaterThan(0));
  const why = expect.stringMatching(/refuses each conditional write.*If-None-Match/);
  await until(() => expect(a.of('x')).toEqual({ type: 'asking', why }));
  expect(a.problem()).toEqual(why);
  // It is asked less and less often, and is not taken for away.
  for (let rounds = writes.length; writes.length < rounds + 40; )
    await until(() => expect(writes.length).toBeGreaterThan(rounds + 39));
  expect(a.type('x')).toBe('asking');
  expect(warned.length).toBe(1);
  a.reach(usual);
  await until(() => expect(a.type('x')).toBe('ours'));
  expect(a.problem()).toBeUndefined();
});

test('others that write at the same time are no store that refuses', async () => {
  const { store, warned, member, until } = fleet();
  let others = 0;
  const a = member('aaa', ['x'], {
    open: async () => ({
      ...store,
      put: async (key, body, options) => {
        if (isTable(key) && others < 12) {
          others += 1;
          const row = { key: `k${others}`, host: 'o', engine: 'e', machine: 'm', name: 'n', bots: ['o'] };
          await store.put(key, Buffer.from(JSON.stringify({ version: 1, hosts: [row] })));
        }
        return store.put(key, body, options);
      },
    }),
  });
  a.start();
  await until(() => expect(a.type('x')).toBe('ours'));
  expect(others).toBe(12);
  expect(warned).toEqual([]);
});

test('what is being given up is not this host’s until that is known to have failed', async () => {
  const { store, usual, member, until } = fleet();
  const a = member('aaa', ['x', 'y']);
  a.start();
  await until(() => expect(a.types()).toEqual(['ours', 'ours']));
  a.reach(async () =>
    watched(store, (call) => {
      if (call !== 'put') return;
      // It is written, and the answer is lost.
      a.reach(away);
      throw new RuntimeError('unavailable', 'the answer was lost');
    }),
  );
  a.wish('x', 'leave');
  await until(() => expect(a.problem()).toBeDefined());
  // It is wanted again at once: another host may have it by now.
  a.wish('x', 'take');
  expect(a.types()).toEqual(['asking', 'ours']);
  const b = member('bbb', ['x']);
  b.start();
  await until(() => expect(b.type('x')).toBe('ours'));
  a.reach(usual);
  await until(() => expect(a.types()).toEqual(['elsewhere', 'ours']));
});

test('two hosts on one engine: what one gives up stays the other’s, and a third on another engine waits for both', async () => {
  const { member, until } = fleet();
  const place = placeOf('one');
  const [a1, a2] = [member('aaa', ['x'], { place }), member('abc', ['x'], { place })];
  a1.start();
  await until(() => expect(a1.type('x')).toBe('ours'));
  a2.start();
  await until(() => expect(a2.type('x')).toBe('ours'));
  const b = member('bbb', ['x', 'z']);
  b.start();
  await until(() => expect(b.types()).toEqual(['elsewhere', 'ours']));
  a1.wish('x', 'leave');
  await until(() => expect((b.of('x') as { message: string }).message).toContain('host abc on one'));
  expect(a2.type('x')).toBe('ours');
  a2.wish('x', 'leave');
  await until(() => expect(b.type('x')).toBe('ours'));
});

test('nothing is taken before others can hear of it: a copy on the same machine would find it gone', async () => {
  const { store, usual, member, until } = fleet();
  let lost = 0;
  const a = member('aaa', ['x'], {
    open: async () => ({
      ...store,
      put: async (key, body, options) => {
        if (isTable(key)) return store.put(key, body, options);
        lost += 1;
        throw new RuntimeError('unavailable', 'lost');
      },
    }),
  });
  const place = { ...placeOf('aaa'), engine: 'another' };
  const copy = member('aaa', ['x'], { place, life: { life: 'copy', startedAt: 2 } });
  a.start();
  await until(() => expect(lost).toBeGreaterThan(2));
  await expect(store.head('hosts/owners.json')).rejects.toMatchObject({ code: 'not-found' });
  a.reach(usual);
  await until(() => expect(a.problem()).toBeUndefined());
  await until(() => expect(a.type('x')).toBe('ours'));
  copy.start();
  await until(() => expect(copy.type('x')).toBe('elsewhere'));
  expect(a.type('x')).toBe('ours');
});

test('a clock that is set back during a look puts the next one off by no more than usual', async () => {
  const { store, clock, member, until } = fleet();
  let looks = 0;
  const a = member('aaa', ['x'], {
    open: async () =>
      watched(store, (call) => {
        if (call !== 'head') return;
        looks += 1;
        if (looks === 1) clock.set(clock.now() - 365 * 24 * 3_600_000);
      }),
  });
  a.start();
  await until(() => expect(looks).toBeGreaterThan(3));
});
