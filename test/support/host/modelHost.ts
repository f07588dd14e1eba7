import type { BotSpec } from '../../../src/host/bots/botSpec.ts';
import { names } from '../../../src/host/bots/names.ts';
import type { InstanceSpec, Role } from '../../../src/host/engine/engine.ts';
import type { Instances } from '../../../src/host/instances/instances.ts';
import type { NewEvent } from '../../../src/host/journal/event.ts';
import { nothingRecorded, type Recorded } from '../../../src/host/reconcile/recorded.ts';
import type { Records } from '../../../src/host/reconcile/records.ts';

/** Thrown where the host is killed. */
export class Killed extends Error {}

/** Instances made of a specification alone; `hash` changes with every field of it. */
export function modelInstances(
  known: (spec: BotSpec) => boolean = () => true,
  base: () => string = () => 'image',
): Instances {
  const prepared = new Set<string>();
  const hash = (spec: BotSpec) =>
    JSON.stringify({ ...spec, enabled: undefined, schedule: undefined, base: base() });
  const make = (spec: BotSpec, role: Role, name: string, run: number | undefined): InstanceSpec => ({
    name,
    bot: spec.name,
    role,
    hash: hash(spec),
    run,
    image: 'image',
    entrypoint: undefined,
    command: undefined,
    env: {},
    secretEnv: {},
    user: { uid: 200_000, gid: 200_000 },
    mounts: [],
    resources: spec.resources,
    egress: spec.egress,
    stopTimeoutMs: spec.stopTimeoutMs,
    labels: {},
  });
  return {
    hash: (spec) => (known(spec) || prepared.has(hash(spec)) ? hash(spec) : undefined),
    base: () => base(),
    refresh: async () => false,
    prepare: async (spec) => void prepared.add(hash(spec)),
    renew: () => undefined,
    bot: async (spec) => make(spec, 'bot', names.bot(spec.name), undefined),
    run: async (spec, time) => make(spec, 'run', names.run(spec.name, time), time),
    waiting: () => Promise.reject(new Error('nothing waits in the model')),
    query: async (spec, id) => make(spec, 'query', names.query(spec.name, id), undefined),
  };
}

/** Records and events that outlive the host, in memory. `step` is called at each of the host's own durable effects. */
export function modelRecords(step: (what: string) => void = () => undefined) {
  const kept = new Map<string, Recorded>();
  const events: NewEvent[] = [];
  const records: Records = {
    get: (bot) => kept.get(bot) ?? nothingRecorded,
    put: async (bot, recorded) => {
      step('before put');
      kept.set(bot, structuredClone(recorded));
      step('after put');
    },
    share: () => undefined,
    forget: async (bot) => void kept.delete(bot),
    bots: () => [...kept.keys()],
  };
  const tell = (event: NewEvent) => {
    step('before event');
    events.push(event);
  };
  return { records, kept, events, tell };
}
