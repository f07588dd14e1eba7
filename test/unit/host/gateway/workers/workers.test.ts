import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../../../src/base/clock.ts';
import type { Engine, InstanceSpec } from '../../../../../src/host/engine/engine.ts';
import { Endings } from '../../../../../src/host/gateway/workers/endings.ts';
import { Pool } from '../../../../../src/host/gateway/workers/pool.ts';
import { Workers } from '../../../../../src/host/gateway/workers/workers.ts';
import type { Instances } from '../../../../../src/host/instances/instances.ts';
import { aSpec } from '../../../../support/host/aSpec.ts';

/** A worker is answered for by a server here; engine and instances are fakes. */
async function workers() {
  const server = createServer((_request, response) => response.end('{}'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const created: string[] = [];
  const gone: string[] = [];
  let isPrepared = false;
  let state = 'one';
  const engine = {
    create: async ({ name }: InstanceSpec) => void created.push(name),
    start: async () => undefined,
    inspect: async (name: string) => ({ name, id: name, state: 'running', address: '127.0.0.1' }),
    kill: async () => undefined,
    remove: async (name: string) => void gone.push(name),
    list: async () => [],
  } as unknown as Engine;
  const instances = {
    hash: () => (isPrepared ? 'hash' : undefined),
    prepare: async () => {
      isPrepared = true;
    },
    query: async (_spec: unknown, id: string) => ({ name: id }),
  } as unknown as Instances;
  const log = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: () => undefined,
  };
  const endings = new Endings(engine, log);
  const made = new Workers({
    engine,
    instances,
    stateVersion: async () => state,
    clock: systemClock,
    log,
    most: 1,
    endings,
    pool: new Pool({
      endings,
      engine,
      instances,
      clock: systemClock,
      log,
      size: 0,
      folder: '',
      draining: () => false,
    }),
    draining: () => false,
    queryPort: (server.address() as AddressInfo).port,
  });
  const { signal } = new AbortController();
  return {
    ask: async (name = 'a') => {
      const place = await made.place(aSpec({ name }), signal);
      return { place, instance: place.address.instance };
    },
    created,
    gone,
    setState: (version: string) => {
      state = version;
    },
  };
}

test('the next query of the same bot and state has the same worker, from the first one on', async () => {
  const { ask, created, setState } = await workers();
  const first = await ask();
  const second = await ask();
  expect(second.instance).toBe(first.instance);
  setState('two');
  expect((await ask()).instance).not.toBe(first.instance);
  expect(created).toHaveLength(2);
});

test('where there is no room, the one that nobody uses goes; while all are in use, others come again later', async () => {
  const { ask, gone } = await workers();
  const { place, instance } = await ask('a');
  await expect(ask('b')).rejects.toMatchObject({ status: 503 });
  place.release();
  await ask('b');
  await expect.poll(() => gone).toEqual([instance]);
});
