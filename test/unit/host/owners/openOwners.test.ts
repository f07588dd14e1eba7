import { readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RuntimeError } from '../../../../src/base/errors.ts';
import type { EnginePlace } from '../../../../src/host/engine/engine.ts';
import { openOwnersTable } from '../../../../src/host/owners/ownersTable.ts';
import { releaseHost, standingOf } from '../../../../src/host/owners/releaseHost.ts';
import { away, fleet, meeting, placeOf } from '../../../support/host/fleet.ts';

test('two hosts on two engines: the first has the bot, and the second is told who, where, and what to do', async () => {
  const { member, until } = fleet();
  const a = member('aaa', ['x', 'y']);
  expect(a.type('x')).toBe('asking');
  a.start();
  await until(() => expect(a.types()).toEqual(['ours', 'ours']));
  const b = member('bbb', ['x', 'z']);
  b.start();
  await until(() => expect(b.types()).toEqual(['elsewhere', 'ours']));
  expect(b.told).toEqual(['refused by aaa: x']);
  expect(b.of('x')).toMatchObject({ ends: true });
  const { message } = b.of('x') as { message: string };
  expect(message).toMatch(/host aaa on aaa has this bot.*runtime host remove --id aaa$/);
  expect(a.types()).toEqual(['ours', 'ours']);
});

test.each([
  ['one of them has it', true, ['elsewhere', 'ours']],
  ['negative control: on a store without conditions both do', false, ['ours', 'ours']],
])('both ask at the same moment: %s', async (_, conditions, expected) => {
  const { store, member, until } = fleet();
  const open = meeting(store, conditions);
  const [a, b] = [member('aaa', ['x'], { open }), member('bbb', ['x'], { open })];
  a.start();
  b.start();
  await until(() => expect([a.type('x'), b.type('x')].sort()).toEqual(expected));
});

test('on one engine nothing is refused: its names keep two hosts apart', async () => {
  const { member, until } = fleet();
  const place = placeOf('one');
  const [a, b] = [member('aaa', ['x'], { place }), member('bbb', ['x'], { place })];
  a.start();
  await until(() => expect(a.type('x')).toBe('ours'));
  b.start();
  await until(() => expect(b.type('x')).toBe('ours'));
  expect([...a.told, ...b.told]).toEqual([]);
});

test('what a host gives up is taken over by the one that waits for it, which is told whose it was', async () => {
  const { member, until } = fleet();
  const [a, b] = [member('aaa', ['x', 'y']), member('bbb', ['x', 'y'])];
  a.start();
  await until(() => expect(a.types()).toEqual(['ours', 'ours']));
  b.start();
  await until(() => expect(b.types()).toEqual(['elsewhere', 'elsewhere']));
  a.wish('x', 'leave');
  await until(() => expect(b.types()).toEqual(['ours', 'elsewhere']));
  expect(b.told).toEqual(['refused by aaa: x y', 'x from aaa']);
  // Whoever wants it again waits in turn.
  a.wish('x', 'take');
  await until(() => expect(a.types()).toEqual(['elsewhere', 'ours']));
});

test('a host that ends keeps what it has: its bots run on', async () => {
  const { member, until } = fleet();
  const a = member('aaa', ['x']);
  a.start();
  await until(() => expect(a.type('x')).toBe('ours'));
  await a.end();
  const b = member('bbb', ['x'], { lostHost: 'replace' });
  b.start();
  await until(() => expect(b.type('x')).toBe('elsewhere'));
  // It comes back.
  const again = member('aaa', ['x'], { life: { life: 'aaa-2', startedAt: 2 } });
  again.start();
  await until(() => expect(again.type('x')).toBe('ours'));
  expect(again.told).toEqual([]);
});

test('while the store is away a host goes on, with what is its own and what it never heard of, not with what is another’s', async () => {
  const { member, until } = fleet();
  const lone = member('ccc', ['x'], { open: away });
  lone.start();
  await until(() => expect(lone.type('x')).toBe('ours'));

  const [a, b] = [member('aaa', ['x', 'y']), member('bbb', ['x'])];
  a.start();
  await until(() => expect(a.type('x')).toBe('ours'));
  b.start();
  await until(() => expect(b.type('x')).toBe('elsewhere'));
  for (const one of [a, b]) one.reach(away);
  a.wish('new', 'take');
  b.wish('new', 'take');
  await until(() =>
    expect([a.type('x'), a.type('new'), b.type('x'), b.type('new')]).toEqual([
      'ours',
      'ours',
      'elsewhere',
      'ours',
    ]),
  );
  await b.kill();
  const again = member('bbb', ['x', 'new'], { open: away });
  again.start();
  await until(() => expect(again.types()).toEqual(['elsewhere', 'ours']));
});

test('both went on while the store was away: once it is back one of them has the bot, and the other ends it', async () => {
  const { usual, member, until } = fleet();
  const [a, b] = [member('aaa', ['x'], { open: away }), member('bbb', ['x'], { open: away })];
  a.start();
  b.start();
  await until(() => expect([a.type('x'), b.type('x')]).toEqual(['ours', 'ours']));
  for (const one of [a, b]) one.reach(usual);
  await until(() => expect([a.type('x'), b.type('x')].sort()).toEqual(['elsewhere', 'ours']));
  const other = a.type('x') === 'ours' ? b : a;
  expect(other.of('x')).toMatchObject({ ends: true });
});

test('nothing is taken from a silent host, but where the operator says so', async () => {
  const { folder, member, until } = fleet();
  const a = member('aaa', ['x']);
  a.start();
  await until(() => expect(a.type('x')).toBe('ours'));
  await a.kill();
  const alive = join(folder, 'store/code/hosts/alive');
  const longAgo = new Date(Date.now() - 600_000);
  for (const name of readdirSync(alive)) utimesSync(join(alive, name), longAgo, longAgo);
  const [b, c] = [member('bbb', ['x']), member('ccc', ['x'], { lostHost: 'replace' })];
  b.start();
  await until(() => expect(b.type('x')).toBe('elsewhere'));
  c.start();
  await until(() => expect(c.type('x')).toBe('ours'));
  await until(() => expect((b.of('x') as { message: string }).message).toContain('host ccc'));
});

test('a copy of a data folder on another machine is refused, and told that it is one', async () => {
  const { member, until } = fleet();
  const a = member('aaa', ['x']);
  a.start();
  await until(() => expect(a.type('x')).toBe('ours'));
  const copy = member('aaa', ['x'], { place: placeOf('other'), life: { life: 'copy', startedAt: 2 } });
  copy.start();
  await until(() => expect(copy.type('x')).toBe('elsewhere'));
  expect((copy.of('x') as { message: string }).message).toMatch(/copy of the other's data folder.*host-id/);
});

test('a copy of a whole machine notices the other life: the later one starts nothing and ends nothing', async () => {
  const { member, until } = fleet();
  const a = member('aaa', ['x'], { life: { life: 'first', startedAt: 1 } });
  const copy = member('aaa', ['x'], { life: { life: 'second', startedAt: 2 } });
  a.start();
  await until(() => expect(a.type('x')).toBe('ours'));
  copy.start();
  await until(() =>
    expect([a.type('x'), copy.of('x')]).toMatchObject(['ours', { type: 'elsewhere', ends: false }]),
  );
  await until(() => expect(a.told).toContain('original of second'));
  expect(copy.told).toContain('copy of first');
  // The first one ends for good: nobody is beside the other any more.
  await a.end();
  await until(() => expect(copy.type('x')).toBe('ours'));
});

test('a host whose engine was made anew has what it had', async () => {
  const { member, until } = fleet();
  const a = member('aaa', ['x']);
  a.start();
  await until(() => expect(a.type('x')).toBe('ours'));
  await a.end();
  const place = { ...placeOf('aaa'), engine: 'another' };
  const again = member('aaa', ['x'], { place, life: { life: 'aaa-2', startedAt: 2 } });
  again.start();
  await until(() => expect(again.type('x')).toBe('ours'));
});

test('a host that is gone is taken away, not while it is heard of; what it had is for whoever waits', async () => {
  const { folder, usual, member, until } = fleet();
  const a = member('aaa', ['x', 'y']);
  a.start();
  await until(() => expect(a.types()).toEqual(['ours', 'ours']));
  const b = member('bbb', ['x']);
  b.start();
  await until(() => expect(b.type('x')).toBe('elsewhere'));
  const signal = AbortSignal.timeout(30_000);
  const request = { open: usual, prefix: 'hosts/', here: placeOf('bbb'), hasEnded: false, signal };
  await a.kill();
  await expect(standingOf({ ...request, host: 'aaa' })).rejects.toMatchObject({
    code: 'fenced',
    message: expect.stringContaining('host aaa on aaa runs'),
  });
  expect(await releaseHost({ ...request, host: 'aaa' })).toBeUndefined();
  expect(await standingOf({ ...request, host: 'nobody' })).toEqual({ isKnown: false, livesHere: false });

  const alive = join(folder, 'store/code/hosts/alive');
  const longAgo = new Date(Date.now() - 600_000);
  for (const name of readdirSync(alive)) utimesSync(join(alive, name), longAgo, longAgo);
  expect(await standingOf({ ...request, host: 'aaa' })).toEqual({ isKnown: true, livesHere: false });
  expect(await releaseHost({ ...request, host: 'aaa' })).toBe(2);
  await until(() => expect(b.type('x')).toBe('ours'));
  expect(b.told).toContain('x from aaa');
});

test('a host whose data folder is here and free is taken away at once, and not its copy elsewhere', async () => {
  const { usual, member, until } = fleet();
  const a = member('aaa', ['x']);
  a.start();
  await until(() => expect(a.type('x')).toBe('ours'));
  const copy = member('aaa', ['x', 'y'], { place: placeOf('other'), life: { life: 'copy', startedAt: 2 } });
  copy.start();
  await until(() => expect(copy.types()).toEqual(['elsewhere', 'ours']));
  await a.kill();
  const signal = AbortSignal.timeout(30_000);
  const request = {
    open: usual,
    prefix: 'hosts/',
    host: 'aaa',
    here: placeOf('aaa'),
    hasEnded: true,
    signal,
  };
  expect(await releaseHost(request)).toBe(1);
  await until(() => expect(copy.types()).toEqual(['ours', 'ours']));
});

test('a table that cannot be read stops nobody, and is said', async () => {
  const { store, member, until } = fleet();
  await store.put('hosts/owners.json', Buffer.from('{"version":7}'));
  const a = member('aaa', ['x']);
  a.start();
  await until(() => expect(a.type('x')).toBe('ours'));
  await expect(
    openOwnersTable(async () => store, 'hosts/').read(undefined, AbortSignal.timeout(30_000)),
  ).rejects.toMatchObject({
    code: 'damaged',
    hint: expect.stringContaining('Remove it'),
  });
});

test('names of bots are nothing but names', async () => {
  const { member, until } = fleet();
  const names = ['__proto__', 'constructor', 'a.b-c_D'];
  const [a, b] = [member('aaa', names), member('bbb', names)];
  a.start();
  await until(() => expect(a.types()).toEqual(['ours', 'ours', 'ours']));
  b.start();
  await until(() => expect(b.types()).toEqual(['elsewhere', 'elsewhere', 'elsewhere']));
});

test('it says that it lives, and looks at the table, also when the clock was set back', async () => {
  const { store, clock, member, until } = fleet();
  const calls = { beats: 0, looks: 0 };
  const a = member('aaa', ['x'], {
    open: async () => ({
      ...store,
      put: async (key, body, options) => {
        if (key.includes('/alive/')) calls.beats += 1;
        return store.put(key, body, options);
      },
      head: async (key, options) => {
        calls.looks += 1;
        return store.head(key, options);
      },
    }),
  });
  a.start();
  await until(() => expect(a.type('x')).toBe('ours'));
  clock.set(clock.now() - 365 * 24 * 3_600_000);
  Object.assign(calls, { beats: 0, looks: 0 });
  await until(() => expect(Math.min(calls.beats, calls.looks)).toBeGreaterThan(2));
});

test('whoever was told that the store is being asked is told what it says, also where that is what was known before', async () => {
  const { store, usual, member, until } = fleet();
  const a = member('aaa', ['x']);
  a.start();
  await until(() => expect(a.type('x')).toBe('ours'));
  let write: () => void = () => undefined;
  const written = new Promise<void>((resolve) => {
    write = resolve;
  });
  a.reach(async () => ({
    ...store,
    put: async (...args) => {
      await written;
      return store.put(...args);
    },
  }));
  // Somebody has taken the table away: it is written anew.
  await store.delete('hosts/owners.json', {});
  await until(() => expect(a.type('x')).toBe('asking'));
  a.woken.length = 0;
  a.reach(usual);
  write();
  await until(() => expect(a.type('x')).toBe('ours'));
  await until(() => expect(a.woken).toContain('x'));
});

test('an engine that does not say which one it is keeps no bot from its start, and is told of once; one that is away is waited for', async () => {
  const { warned, clock, member, until } = fleet();
  let asked = 0;
  const place = async (): Promise<EnginePlace> => {
    asked += 1;
    throw new RuntimeError(asked < 3 ? 'unavailable' : 'refused', 'GET /info is not allowed');
  };
  const a = member('aaa', ['x'], { place });
  a.start();
  await clock.advance(0);
  expect(a.type('x')).toBe('asking');
  await until(() => expect(a.type('x')).toBe('ours'));
  expect(warned).toEqual([expect.stringMatching(/not noticed.*GET \/info is not allowed/)]);
  const b = member('bbb', ['x'], { place });
  b.start();
  await until(() => expect(b.type('x')).toBe('ours'));
});
