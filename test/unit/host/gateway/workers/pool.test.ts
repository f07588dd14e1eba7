import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { expect, onTestFinished, test, vi } from 'vitest';
import { RuntimeError } from '../../../../../src/base/errors.ts';
import { Secret } from '../../../../../src/base/secret.ts';
import type { Engine, InstanceSpec } from '../../../../../src/host/engine/engine.ts';
import { Endings } from '../../../../../src/host/gateway/workers/endings.ts';
import { Pool } from '../../../../../src/host/gateway/workers/pool.ts';
import type { Instances } from '../../../../../src/host/instances/instances.ts';
import { type FakeClock, fakeClock } from '../../../../support/fakeClock.ts';
import { memoryLog } from '../../../../support/memoryLog.ts';

/** A pool on a fake engine, whose containers are names with what came on their standard input. */
function aPool(size: number) {
  const root = mkdtempSync(join(tmpdir(), 'pool-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const folder = join(root, 'workers');
  const containers = new Map<string, { input: PassThrough; limits: unknown }>();
  const clock = fakeClock();
  const { log, lines } = memoryLog();
  let draining = false;
  let image = 'one';
  let fails = false;
  let attempts = 0;
  const engine = {
    create: async ({ name }: InstanceSpec) => {
      attempts += 1;
      if (fails) throw new RuntimeError('unavailable', 'the engine is away');
      containers.set(name, { input: new PassThrough(), limits: undefined });
    },
    start: async () => undefined,
    kill: async () => undefined,
    remove: async (name: string) => void containers.delete(name),
    logs: async function* () {
      yield { stream: 'stderr', bytes: Buffer.from('there is no --await-bot') };
    },
    standby: {
      input: async (name: string) => containers.get(name)!.input,
      limit: async (name: string, limits: unknown) => {
        containers.get(name)!.limits = limits;
      },
    },
  } as unknown as Engine;
  const spec = (name: string) =>
    ({ name, image, egress: 'internet', mounts: [], env: {}, secretEnv: {} }) as unknown as InstanceSpec;
  const instances = {
    waiting: async (id: string, own: string) => {
      mkdirSync(own);
      return spec(`rtw-${id}`);
    },
  } as unknown as Instances;
  const pool = new Pool({
    endings: new Endings(engine, log),
    engine,
    instances,
    clock,
    log,
    size,
    folder,
    draining: () => draining,
  });
  const closing = new AbortController();
  return {
    pool,
    containers,
    clock,
    lines,
    folder,
    attempts: () => attempts,
    wanted: (more: Partial<InstanceSpec> = {}) => ({ ...spec('rtq-b'), bot: 'b', ...more }),
    run: () => {
      const running = pool.run(closing.signal);
      return async () => {
        closing.abort();
        await running;
      };
    },
    set: (what: { draining?: boolean; image?: string; fails?: boolean }) => {
      draining = what.draining ?? draining;
      image = what.image ?? image;
      fails = what.fails ?? fails;
    },
  };
}

const { signal } = new AbortController();

/** Second by second, until it is so: folders are made and removed in real time. */
async function until(clock: FakeClock, check: () => void): Promise<void> {
  await vi.waitFor(
    async () => {
      await clock.advance(1_000);
      check();
    },
    { timeout: 30_000, interval: 1 },
  );
}

test('as many wait as should, one that is taken is replaced a second later, and at the end all go', async () => {
  const { pool, containers, clock, folder, wanted, run } = aPool(2);
  const end = run();
  await until(clock, () =>
    expect([pool.count, containers.size, readdirSync(folder).length]).toEqual([2, 2, 2]),
  );
  const taken = pool.take(wanted());
  expect(pool.count).toBe(1);
  await clock.advance(900);
  expect(containers.size).toBe(2);
  await until(clock, () => expect([pool.count, containers.size]).toEqual([2, 3]));
  await end();
  // What was taken is its taker's.
  expect([...containers.keys()]).toEqual([taken?.spec.name]);
  await taken?.end();
  expect([containers.size, readdirSync(folder)]).toEqual([0, []]);
});

test('what is assigned gets the limits first, then one line with all variables, the secret ones too', async () => {
  const { pool, containers, clock, wanted, run } = aPool(1);
  const end = run();
  await until(clock, () => expect(pool.count).toBe(1));
  const worker = pool.take(wanted());
  const resources = { memoryBytes: 1 } as InstanceSpec['resources'];
  const env = { BOT_ID: 'b' };
  await worker?.assign(wanted({ resources, env, secretEnv: { SEAL: new Secret('s') } }), signal);
  const { input, limits } = containers.get(worker!.spec.name)!;
  expect(limits).toBe(resources);
  expect(String(input.read())).toBe('{"BOT_ID":"b","SEAL":"s"}\n');
  await end();
});

test('one that does not fit is not taken, and those of an older image go', async () => {
  const { pool, containers, clock, wanted, run, set } = aPool(1);
  const end = run();
  await until(clock, () => expect(pool.count).toBe(1));
  const [first] = containers.keys();
  expect(pool.take(wanted({ egress: 'none' }))).toBeUndefined();
  expect(pool.count).toBe(1);
  set({ image: 'two' });
  expect(pool.take(wanted())).toBeUndefined();
  await until(clock, () => expect(containers.has(first!)).toBe(false));
  await until(clock, () => expect(pool.take(wanted())).toBeDefined());
  await end();
});

test('one that ends while it waits is replaced; it can be assigned nothing', async () => {
  const { pool, containers, clock, wanted, run } = aPool(1);
  const end = run();
  await until(clock, () => expect(pool.count).toBe(1));
  const worker = pool.take(wanted());
  containers.get(worker!.spec.name)!.input.destroy();
  await expect(worker!.assign(wanted(), signal)).rejects.toThrow();
  await until(clock, () => expect(pool.count).toBe(1));
  const [, second] = [...containers];
  second![1].input.destroy();
  await until(clock, () => expect([containers.has(second![0]), pool.count]).toEqual([false, 1]));
  await end();
});

test('where they end as soon as they are made, they are made less and less often, and it is told once', async () => {
  const { pool, containers, clock, lines, attempts, run } = aPool(1);
  const end = run();
  let deaths = 0;
  await until(clock, () => {
    for (const { input } of containers.values()) {
      if (!input.destroyed) deaths += 1;
      input.destroy();
    }
    expect(deaths).toBe(6);
  });
  // 1, 2, 4, 8, 16 s between them: as many seconds have passed, not six.
  expect(clock.now() - 1_000_000).toBeGreaterThan(31_000);
  expect(attempts()).toBe(6);
  expect(lines.filter((line) => line.includes('there is no --await-bot'))).toHaveLength(1);
  await until(clock, () => expect(pool.count).toBe(1));
  await end();
});

test('none waits while the host is drained, nor where none should', async () => {
  const { pool, containers, clock, run, set } = aPool(2);
  const end = run();
  await until(clock, () => expect(pool.count).toBe(2));
  set({ draining: true });
  await until(clock, () => expect([pool.count, containers.size]).toEqual([0, 0]));
  set({ draining: false });
  await until(clock, () => expect(pool.count).toBe(2));
  await end();

  const off = aPool(0);
  mkdirSync(off.folder);
  writeFileSync(join(off.folder, 'left'), '');
  await off.run()();
  expect([off.containers.size, existsSync(off.folder)]).toEqual([0, false]);
});

test('an engine that is away is asked again, and told of once', async () => {
  const { pool, clock, lines, attempts, run, set } = aPool(1);
  set({ fails: true });
  const end = run();
  await until(clock, () => expect(attempts()).toBeGreaterThan(4));
  expect(lines.filter((line) => line.includes('the engine is away'))).toHaveLength(1);
  set({ fails: false });
  await until(clock, () => expect(pool.count).toBe(1));
  await end();
});
