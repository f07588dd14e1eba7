import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { onTestFinished } from 'vitest';
import { RuntimeError } from '../../../src/base/errors.ts';
import { Secret } from '../../../src/base/secret.ts';
import { createHostApi } from '../../../src/host/api/createHostApi.ts';
import type { Timers } from '../../../src/host/loop/wakeups.ts';
import { openRecordFiles, type RecordFiles } from '../../../src/host/sandboxes/openRecordFiles.ts';
import { openSandboxes } from '../../../src/host/sandboxes/openSandboxes.ts';
import type { NewSandbox } from '../../../src/host/sandboxes/sandboxes.ts';
import type { SandboxesOptions } from '../../../src/host/sandboxes/sandboxesOptions.ts';
import { createClaims } from '../../../src/host/sandboxes/shared/createClaims.ts';
import { recordSeal } from '../../../src/host/sandboxes/shared/recordSeal.ts';
import { openSharedRecords } from '../../../src/host/sandboxes/shared/sharedRecords.ts';
import type { ObjectStore } from '../../../src/store/objectStore.ts';
import { fakeClock } from '../fakeClock.ts';
import { createModelEngine } from '../host/modelEngine.ts';
import { modelInstances, modelRecords } from '../host/modelHost.ts';
import { startModelLoop } from '../host/modelLoop.ts';
import { createModelRollbacks } from '../host/modelRollbacks.ts';
import { memoryLog } from '../memoryLog.ts';

/** What is asked for where nothing else is said. */
export function aRequest(changes: Partial<NewSandbox> = {}): NewSandbox {
  return {
    owner: 'me',
    name: undefined,
    image: undefined,
    env: {},
    secretEnv: {},
    resources: {
      memoryBytes: 2 ** 30,
      cpuMillis: 1000,
      cpuLimit: true,
      pids: 256,
      diskBytes: 2 ** 30,
    },
    egress: 'internet',
    lifetimeMs: undefined,
    idleMs: undefined,
    tools: undefined,
    metadata: undefined,
    agent: undefined,
    from: undefined,
    idempotencyKey: undefined,
    ...changes,
  };
}

export interface World {
  /** False: nothing listens inside. */
  listens: boolean;
  /** What sandboxes had written is in the store when they end. */
  isSaved: boolean;
  /** Thrown instead of an image. */
  imageFails: RuntimeError | undefined;
  readonly purged: string[];
  fork: SandboxesOptions['fork'];
}

export interface ModelServerOptions {
  readonly host?: string;
  /** Which hosts share. */
  readonly store?: ObjectStore;
  /** All of their records are sealed with. */
  readonly poolKey?: string;
}

/** Sandboxes on a host whose engine is in memory; what is written down is on the disk. It can be killed and started again. */
export function modelServer({ host = 'host', store, poolKey = 'pool' }: ModelServerOptions = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'sandboxes-'));
  const model = createModelEngine({ now: Date.now });
  const kept = modelRecords();
  const clock = fakeClock(Date.now());
  const world: World = {
    listens: true,
    isSaved: true,
    imageFails: undefined,
    purged: [],
    fork: async () => undefined,
  };
  const timers: Timers = {
    now: clock.now,
    after: (ms, call) => {
      const stop = new AbortController();
      clock.sleep(ms, stop.signal).then(call, () => undefined);
      return () => stop.abort();
    },
  };
  const engine = {
    ...model.engine,
    // Asked to end, it ends.
    stop: async (name: string, graceMs: number, signal: AbortSignal) => {
      await model.engine.stop(name, graceMs, signal);
      model.end(name, 0);
    },
  };
  const usual = modelInstances();
  const instances = {
    ...usual,
    hash: (spec: Parameters<typeof usual.hash>[0]) => (world.imageFails ? undefined : usual.hash(spec)),
    prepare: async (spec: Parameters<typeof usual.hash>[0], signal: AbortSignal) => {
      if (world.imageFails) throw world.imageFails;
      await usual.prepare(spec, signal);
    },
  };
  const lives: { kill(): Promise<void> }[] = [];

  async function start() {
    const end = new AbortController();
    const { signal } = end;
    const { log } = memoryLog();
    const seal = recordSeal(new Secret(poolKey));
    const shared = store && openSharedRecords(host, async () => store, seal, signal);
    const files = watched(openRecordFiles(join(folder, 'records')));
    const opened = await openSandboxes({
      files,
      claims: shared && createClaims({ shared, clock, log, signal }),
      isSaved: () => world.isSaved,
      tokenKey: new Secret('key'),
      box: { file: 'box.tar', sha256: undefined },
      keepDeletedMs: 60_000,
      fork: (...args) => world.fork(...args),
      purge: async (id) => void world.purged.push(id),
      clock,
      timers,
      log,
      signal,
    });
    const loop = startModelLoop({ model, kept, engine, instances });
    const api = createHostApi({
      loop: loop.loop,
      engine,
      instances,
      rollbacks: createModelRollbacks(),
      source: opened.source,
      journal: { write: () => undefined, read: async () => [], subscribe: () => () => undefined },
      version: 'test',
      startedAt: Date.now(),
      now: Date.now,
      keepDraining: () => undefined,
      makeToken: () => '',
    });
    void opened.source.run(loop.loop.observer, end.signal);
    const dial = async () => {
      if (world.listens) return new Duplex({ read: () => undefined, write: (_c, _e, done) => done() });
      throw new RuntimeError('unavailable', 'nobody listens');
    };
    const sandboxes = opened.attach({ api, name: host, engine, dial });
    const life = {
      sandboxes,
      opened,
      api,
      loop,
      /** Nothing of it is done any more. */
      kill: async () => {
        end.abort();
        await loop.stop();
        await files.written();
      },
    };
    lives.push(life);
    return life;
  }

  onTestFinished(async () => {
    for (const life of lives) await life.kill();
    rmSync(folder, { recursive: true, force: true });
  });
  return { start, model, world, clock, folder };
}

/** What was being written when it was killed is on the disk before the next life reads it, and nothing after that. */
function watched(files: RecordFiles): RecordFiles & { written(): Promise<void> } {
  const open = new Set<Promise<void>>();
  let isDead = false;
  const watch = async (write: () => Promise<void>): Promise<void> => {
    if (isDead) throw new Error('killed');
    const writing = write();
    open.add(writing);
    return await writing.finally(() => open.delete(writing));
  };
  return {
    found: files.found,
    put: (record) => watch(() => files.put(record)),
    remove: (id) => watch(() => files.remove(id)),
    written: async () => {
      for (let quiet = 0; quiet < 20; quiet = open.size === 0 ? quiet + 1 : 0) {
        await Promise.allSettled(open);
        await new Promise((resolve) => setImmediate(resolve));
      }
      isDead = true;
    },
  };
}
