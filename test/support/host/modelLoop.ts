import { systemClock } from '../../../src/base/clock.ts';
import { RuntimeError } from '../../../src/base/errors.ts';
import type { BotSpec } from '../../../src/host/bots/botSpec.ts';
import type { Engine } from '../../../src/host/engine/engine.ts';
import type { Instances } from '../../../src/host/instances/instances.ts';
import type { HostEvent } from '../../../src/host/journal/event.ts';
import { createLoop } from '../../../src/host/loop/createLoop.ts';
import { createDiskUse } from '../../../src/host/loop/diskUse.ts';
import type { Timers } from '../../../src/host/loop/wakeups.ts';
import type { WavesFile } from '../../../src/host/loop/wavesFile.ts';
import type { Owners } from '../../../src/host/owners/owners.ts';
import type { Rollbacks } from '../../../src/host/reconcile/rollbacks.ts';
import type { Entry } from '../../../src/host/sources/source.ts';
import { createModelEngine, type Fault } from './modelEngine.ts';
import { modelInstances, modelRecords } from './modelHost.ts';
import { createModelRollbacks } from './modelRollbacks.ts';

export const realTimers: Timers = {
  now: () => Date.now(),
  after: (ms, call) => {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  },
};

const memoryWaves = (): WavesFile => ({
  kept: [],
  changed: () => undefined,
  written: async () => undefined,
});

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** A host's loop in real time on an engine in memory. */
export function startModelLoop(
  options: {
    model?: ReturnType<typeof createModelEngine>;
    kept?: ReturnType<typeof modelRecords>;
    rollbacks?: Rollbacks;
    waves?: WavesFile;
    readyAfterMs?: number;
    base?: () => string;
    saysStopped?: (bot: string) => boolean;
    engine?: Engine;
    instances?: Instances;
    diskFull?: () => string | undefined;
    prepared?: (spec: BotSpec) => boolean;
    fault?: (call: string) => Fault;
    owners?: Owners;
  } = {},
) {
  const model =
    options.model ?? createModelEngine({ now: Date.now, ...(options.fault ? { fault: options.fault } : {}) });
  const kept = options.kept ?? modelRecords();
  const events: HostEvent[] = [];
  const diskUse = createDiskUse();
  const stop = new AbortController();
  const loop = createLoop({
    engine: options.engine ?? model.engine,
    instances: options.instances ?? modelInstances(options.prepared, options.base),
    records: kept.records,
    rollbacks: options.rollbacks ?? createModelRollbacks(),
    damaged: new Map(),
    waves: options.waves ?? memoryWaves(),
    journal: {
      write: (event) => void events.push({ ...event, id: events.length + 1, at: Date.now() }),
      read: async () => events,
      subscribe: () => () => undefined,
    },
    clock: systemClock,
    timers: realTimers,
    log: quiet,
    slots: { code: 4, start: 4, end: 16 },
    allowMassDelete: false,
    types: new Set(['realtime', 'scheduled']),
    hostFull: { any: () => options.diskFull?.(), disk: () => options.diskFull?.() },
    diskUse,
    owners: options.owners,
    saysStopped: options.saysStopped ?? (() => false),
    random: Math.random,
    draining: false,
    readyAfterMs: options.readyAfterMs ?? 0,
    observe: () => undefined,
  });
  const running = loop.run(stop.signal);
  return {
    loop,
    diskUse,
    model,
    kept,
    events,
    list: (...specs: readonly BotSpec[]) =>
      loop.observer.listed(
        new Map(specs.map((spec): [string, Entry] => [spec.name, { spec, origin: spec.name }])),
      ),
    sourceFails: () => loop.observer.failed(new RuntimeError('unavailable', 'away')),
    running: () =>
      [...model.instances.values()]
        .filter(({ state }) => state === 'running')
        .map(({ spec }) => spec.bot)
        .sort(),
    stop: async () => {
      stop.abort();
      await running;
    },
  };
}
