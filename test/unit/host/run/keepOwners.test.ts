import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '../../../../src/base/clock.ts';
import { openOwners } from '../../../../src/host/owners/openOwners.ts';
import { openOwnersTable } from '../../../../src/host/owners/ownersTable.ts';
import { nothingRecorded, type Recorded } from '../../../../src/host/reconcile/recorded.ts';
import type { Wanted } from '../../../../src/host/reconcile/situation.ts';
import { keepOwners, wishOf } from '../../../../src/host/run/keepOwners.ts';
import { openFileStore } from '../../../../src/store/file/file.ts';
import { aSpec, scheduled } from '../../../support/host/aSpec.ts';
import { createModelEngine } from '../../../support/host/modelEngine.ts';
import { modelInstances } from '../../../support/host/modelHost.ts';
import { startModelLoop } from '../../../support/host/modelLoop.ts';

const present = (enabled = true): Wanted => ({
  type: 'present',
  spec: aSpec({ name: 'a', enabled }),
  origin: 'a',
  hash: 'h',
  schedule: undefined,
});
const held = { held: { hash: 'h', reason: 'NeedsChange', message: 'm' } } as const;
const unsaved = { ended: { id: 'i', at: 1, exitCode: 74, reason: 'exit code 74' } };
const rollback = { rollback: { askedAt: 1, sequence: 3, spec: undefined } };
const claim = { claim: { time: 1, claimedAt: 1, created: false } };

test.each<[string, Wanted, Partial<Recorded>, boolean, string]>([
  ['would run', present(), {}, false, 'take'],
  ['is off', present(false), {}, false, 'leave'],
  ['is drained', present(), {}, true, 'leave'],
  ['is drained, and its run is still to be run', present(), claim, true, 'take'],
  ['is drained, and its newest state is on this disk alone', present(), unsaved, true, 'take'],
  ['waits for a change', present(), held, false, 'keep'],
  [
    'waits for a change, and its code is not here',
    { ...present(), hash: undefined } as Wanted,
    held,
    false,
    'keep',
  ],
  ['waited for a change that has come', { ...present(), hash: 'new' } as Wanted, held, false, 'take'],
  ['is off and is rolled back', present(false), rollback, false, 'take'],
  ['is gone', { type: 'absent' }, {}, false, 'leave'],
  ['has a broken file', { type: 'invalid', problems: [] }, {}, false, 'keep'],
  ['has a source that has not answered', { type: 'unknown' }, {}, false, 'keep'],
])('a bot that %s', (_, wanted, recorded, draining, expected) => {
  const types = new Set(['realtime']);
  const state = { wanted, instances: [], recorded: { ...nothingRecorded, ...recorded } };
  expect(wishOf(state, draining, types)).toBe(expected);
  // Nobody knows what runs.
  expect(wishOf({ ...state, instances: undefined }, draining, types)).toBe('keep');
});

test('what runs is taken whatever is wanted, and a bot of another kind is left', async () => {
  const signal = AbortSignal.timeout(30_000);
  const { engine } = createModelEngine({ now: Date.now });
  const spec = await modelInstances().bot(aSpec({ name: 'a' }), signal);
  await engine.create(spec, signal);
  await engine.start(spec.name, signal);
  const instances = await engine.list(signal);
  const recorded = nothingRecorded;
  for (const wanted of [present(), present(false), { type: 'absent' } as const])
    expect(wishOf({ wanted, instances, recorded }, true, new Set(['realtime']))).toBe('take');
  expect(wishOf({ wanted: present(), instances: [], recorded }, false, new Set(['scheduled']))).toBe('leave');
});

const until = (check: () => void | Promise<void>) => vi.waitFor(check, { timeout: 45_000, interval: 20 });

/** A host's loop in real time whose bots are written down in a store. */
function hostOfStore() {
  const folder = mkdtempSync(join(tmpdir(), 'owners-'));
  const stop = new AbortController();
  const types = new Set(['realtime', 'scheduled']);
  const open = async () =>
    openFileStore(join(folder, 'store'), 'code', { createBucket: true, clock: systemClock });
  const owners = openOwners({
    host: 'aaa',
    types,
    place: async () => ({ engine: 'e', machine: 'm', name: 'one' }),
    open,
    prefix: 'hosts/',
    file: join(folder, 'owners'),
    former: { recall: () => undefined, remember: () => undefined },
    lostHost: 'wait',
    life: { life: 'one', startedAt: 1 },
    clock: systemClock,
    log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
  });
  const host = startModelLoop({ owners });
  const journal = { write: () => undefined, read: async () => [], subscribe: () => () => undefined };
  const keeping = keepOwners({ owners, loop: host.loop, types, journal, now: Date.now }, stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await Promise.all([keeping, host.stop()]);
    rmSync(folder, { recursive: true, force: true });
  });
  const owned = async () => {
    const { table } = await openOwnersTable(open, 'hosts/').read(undefined, AbortSignal.timeout(30_000));
    return [...table.owners.keys()].sort();
  };
  return { host, owners, owned };
}

test('a bot that waits for a change, is given up by a drain, and changes, is taken again and starts', async () => {
  const { host, owners } = hostOfStore();
  host.list(aSpec({ name: 'a' }));
  await until(() => expect(host.running()).toEqual(['a']));
  host.model.end('rt-a', 78);
  await until(() => expect(host.loop.state('a').ready?.reason).toBe('NeedsChange'));
  expect(owners.of('a').type).toBe('ours');
  host.loop.draining = true;
  await until(() => expect(owners.of('a').type).toBe('asking'));
  host.loop.draining = false;
  host.list(aSpec({ name: 'a', env: { NEW: '1' } }));
  await until(() => expect(host.running()).toEqual(['a']));
  expect(owners.of('a').type).toBe('ours');
});

test('a bot that the source no longer has is nobody’s once the host has forgotten it', async () => {
  const { host, owned } = hostOfStore();
  const waits = (name: string) => scheduled(name, { cron: '0 0 29 2 *' });
  host.list(waits('a'), waits('b'));
  await until(async () => expect(await owned()).toEqual(['a', 'b']));
  host.list(waits('b'));
  await until(() => expect(host.loop.bots()).toEqual(['b']));
  await until(async () => expect(await owned()).toEqual(['b']));
});
