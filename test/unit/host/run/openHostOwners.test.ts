import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Config } from '../../../../src/bot/config/config.ts';
import { botId } from '../../../../src/bot/config/parsers.ts';
import { createFolders } from '../../../../src/host/data/folders.ts';
import { otherHosts } from '../../../../src/host/doctor/otherHosts.ts';
import type { HostPatient } from '../../../../src/host/doctor/patient.ts';
import type { Engine } from '../../../../src/host/engine/engine.ts';
import type { BotsHere } from '../../../../src/host/owners/botsHere.ts';
import { HOSTS_PREFIX } from '../../../../src/host/owners/ownersTable.ts';
import type { HostOptions } from '../../../../src/host/run/hostOptions.ts';
import { openHostOwners } from '../../../../src/host/run/openHostOwners.ts';
import { openHostStores } from '../../../../src/host/run/openHostStores.ts';

const until = (check: () => void) => vi.waitFor(check, { timeout: 45_000, interval: 20 });

function fleet() {
  const folder = mkdtempSync(join(tmpdir(), 'host-owners-'));
  const stop = new AbortController();
  const closing = new AsyncDisposableStack();
  const running: Promise<void>[] = [];
  onTestFinished(async () => {
    stop.abort();
    await Promise.all(running);
    await closing.disposeAsync();
    rmSync(folder, { recursive: true, force: true });
  });
  const configOf = (code: string, state: string): Config =>
    ({
      store: { type: 'file', path: join(folder, 'store') },
      buckets: { code, state, logs: 'logs', results: 'results' },
      startTimeoutMs: 60_000,
    }) as Config;
  function start(host: string, code: string, state: string) {
    const owners = openHostOwners({
      host,
      options: { 'lost-host': 'wait' } as HostOptions,
      folders: createFolders(mkdtempSync(join(folder, `${host}-`))),
      engine: {
        place: async () => ({ engine: host, machine: host, name: `on-${host}` }),
      } as unknown as Engine,
      stores: openHostStores(configOf(code, state), closing),
      types: new Set(['realtime']),
      log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
    })!;
    const here: BotsHere = {
      all: () => ['x'],
      wish: () => 'take',
      ...{ wake: () => {}, refused: () => {}, takenOver: () => {}, doubled: () => {} },
    };
    running.push(owners.run(here, stop.signal));
    return owners;
  }
  const examine = () =>
    otherHosts.run({
      ...{ config: async () => configOf('other-code', 'states'), data: folder, signal: stop.signal },
    } as unknown as HostPatient);
  return { start, examine };
}

test('hosts that write the same states notice one another, whatever buckets of code they have', async () => {
  const { start, examine } = fleet();
  const a = start('aaa', 'code-a', 'states');
  await until(() => expect(a.of('x').type).toBe('ours'));
  const b = start('bbb', 'code-b', 'states');
  await until(() => expect(b.of('x').type).toBe('elsewhere'));
  const c = start('ccc', 'code-a', 'other-states');
  await until(() => expect(c.of('x').type).toBe('ours'));
  expect(a.of('x').type).toBe('ours');
  expect((await examine()).map(({ message }) => message)).toEqual(['host aaa on on-aaa has 1 bots']);
});

test('no bot can have the name under which hosts tell one another what they have', () => {
  const [name = ''] = HOSTS_PREFIX.split('/');
  expect(botId.parse('hosts')).toBe('hosts');
  expect(botId.parse(name)).toBeUndefined();
});
