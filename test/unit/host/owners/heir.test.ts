import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createFormerLife, type FormerLife } from '../../../../src/host/owners/formerLife.ts';
import { aliveKey } from '../../../../src/host/owners/heartbeat.ts';
import { keyOf } from '../../../../src/host/owners/owners.ts';
import { releaseHost, standingOf } from '../../../../src/host/owners/releaseHost.ts';
import { away, fleet, placeOf } from '../../../support/host/fleet.ts';

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const before = placeOf('before');
const key = keyOf('aaa', before, ['realtime']);
const first = { life: 'first', startedAt: 1 };
const second = { life: 'second', startedAt: 2 };
const knownAs = (life: string): FormerLife => ({ recall: () => ({ key, life }), remember: () => undefined });

/** A host that has bots and was killed: it is still heard of. */
async function killed(bots: readonly string[]) {
  const one = fleet();
  const a = one.member('aaa', bots, { place: before, life: first });
  a.start();
  await one.until(() => expect(new Set(a.types())).toEqual(new Set(['ours'])));
  await a.kill();
  return one;
}

test.each([
  ['its machine was renamed', placeOf('after')],
  ['its engine was made anew', { ...before, engine: 'another' }],
])(
  'a host that comes back after %s has what it had at once, and frees what it no longer wants',
  async (_, place) => {
    const { store, member, until } = await killed(['x', 'y']);
    const a = member('aaa', ['x'], { place, life: second, former: knownAs('first') });
    const seen: string[] = [];
    const b = member('bbb', ['x', 'y']);
    a.start();
    await until(() => {
      seen.push(a.type('x'));
      expect(a.type('x')).toBe('ours');
    });
    expect(seen).not.toContain('elsewhere');
    expect(a.told).toEqual([]);
    b.start();
    await until(() => expect(b.types()).toEqual(['elsewhere', 'ours']));
    await expect(store.head(aliveKey('hosts/', key))).rejects.toMatchObject({ code: 'not-found' });
  },
);

test('what it had is not ended while the store is away', async () => {
  const { member, until } = await killed(['x']);
  const a = member('aaa', ['x'], {
    place: placeOf('after'),
    life: second,
    former: knownAs('first'),
    open: away,
  });
  a.start();
  await until(() => expect(a.type('x')).toBe('ours'));
});

test('negative control: whoever cannot show that the life before was its own is another host', async () => {
  const { member, until } = await killed(['x']);
  // Another life is known by that name, or nobody knows.
  for (const more of [{ former: knownAs('other') }, {}]) {
    const a = member('aaa', ['x'], { place: placeOf('after'), life: second, ...more });
    a.start();
    await until(() => expect(a.type('x')).toBe('elsewhere'));
    await a.kill();
  }
});

test('a life is remembered for the same folder and the same start of the machine alone', () => {
  const root = mkdtempSync(join(tmpdir(), 'life-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const boot = join(root, 'boot');
  writeFileSync(boot, 'one\n');
  const of = (name: string) => createFormerLife(join(root, name, 'life'), join(root, name), quiet, boot);
  mkdirSync(join(root, 'data'));
  expect(of('data').recall()).toBeUndefined();
  const known = { key: 'k', life: 'l' };
  of('data').remember(known);
  expect(of('data').recall()).toEqual(known);
  cpSync(join(root, 'data'), join(root, 'copy'), { recursive: true, preserveTimestamps: true });
  expect(of('copy').recall()).toBeUndefined();
  renameSync(join(root, 'data'), join(root, 'moved'));
  expect(of('moved').recall()).toEqual(known);
  writeFileSync(boot, 'two\n');
  expect(of('moved').recall()).toBeUndefined();
  writeFileSync(join(root, 'moved', 'life'), '{"key":1}');
  expect(of('moved').recall()).toBeUndefined();
});

test('what a host had before its machine was renamed is taken from it by one command, and not what it has here', async () => {
  const { usual, member, until } = fleet();
  const here = placeOf('after');
  const old = member('aaa', ['x'], { place: before, life: first });
  old.start();
  await until(() => expect(old.type('x')).toBe('ours'));
  await old.end();
  const a = member('aaa', ['x'], { place: here, life: second });
  a.start();
  await until(() => expect(a.type('x')).toBe('elsewhere'));
  expect((a.of('x') as { message: string }).message).toMatch(
    /this machine renamed: runtime host remove --id aaa$/,
  );
  const signal = AbortSignal.timeout(30_000);
  const request = { open: usual, prefix: 'hosts/', host: 'aaa', here, hasEnded: false, signal };
  // It has no bot yet and lives here all the same: what it has on this engine stays.
  expect(await standingOf(request)).toEqual({ isKnown: true, livesHere: true });
  expect(await releaseHost(request)).toBe(1);
  await until(() => expect(a.type('x')).toBe('ours'));
});
