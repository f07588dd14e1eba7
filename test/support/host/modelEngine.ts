import { RuntimeError } from '../../../src/base/errors.ts';
import type { Engine, Instance, InstanceSpec } from '../../../src/host/engine/engine.ts';

/** What happens to one call: it fails before anything is done, after everything is done, or not at all. */
export type Fault = 'none' | 'before' | 'after';

export interface ModelInstance {
  spec: InstanceSpec;
  name: string;
  id: string;
  state: 'created' | 'running' | 'ended';
  createdAt: number;
  startedAt?: number;
  endedAt?: number;
  exitCode?: number;
  asked: boolean;
}

/** Something that was started: what a test counts. */
export interface Life {
  readonly bot: string;
  readonly run: number | undefined;
  readonly hash: string;
  readonly from: number;
  to?: number;
}

/** An engine in memory, in virtual time. It holds to the rules of `Engine`; tests end its instances and make its calls fail. */
export function createModelEngine(options: { now: () => number; fault?: (call: string) => Fault }) {
  const { now, fault = () => 'none' } = options;
  const instances = new Map<string, ModelInstance>();
  /** Names that are another host's. */
  const foreign = new Set<string>();
  const lives: Life[] = [];
  const signals: { name: string; signal: string; at: number }[] = [];
  const watchers = new Set<(name: string | undefined) => void>();
  let ids = 0;

  async function call<T>(name: string, work: () => T): Promise<T> {
    const chosen = fault(name);
    const lost = () => new RuntimeError('unavailable', `${name}: no answer`, { retryable: true });
    if (chosen === 'before') throw lost();
    const result = work();
    if (chosen === 'after') throw lost();
    return result;
  }

  const told = (name: string | undefined) => {
    for (const watcher of watchers) watcher(name);
  };

  function end(name: string, exitCode: number | undefined): void {
    const one = instances.get(name);
    if (one?.state !== 'running') return;
    one.state = 'ended';
    one.endedAt = now();
    if (exitCode !== undefined) one.exitCode = exitCode;
    const life = lives.findLast((life) => life.to === undefined && life.bot === one.spec.bot);
    if (life) life.to = now();
    told(name);
  }

  const seen = (one: ModelInstance): Instance => ({
    name: one.name,
    id: one.id,
    bot: one.spec.bot,
    role: one.spec.role,
    hash: one.spec.hash,
    run: one.spec.run,
    state: one.state,
    createdAt: one.createdAt,
    startedAt: one.startedAt,
    endedAt: one.endedAt,
    exitCode: one.exitCode,
    outOfMemory: false,
    error: undefined,
    address: one.state === 'running' ? '127.0.0.1' : undefined,
  });

  const engine: Engine = {
    name: 'model',
    features: { folders: true, exec: false },
    image: (reference) => call('image', () => ({ id: `sha256:${reference}` })),
    list: () => call('list', () => [...instances.values()].map(seen)),
    watch: (changed, signal) =>
      call('watch', () => {
        watchers.add(changed);
        const ended = new Promise<void>((resolve) =>
          signal.addEventListener('abort', () => resolve(), { once: true }),
        );
        return { ended: ended.then(() => void watchers.delete(changed)) };
      }),
    inspect: (name) =>
      call('inspect', () => {
        const one = instances.get(name);
        return one && seen(one);
      }),
    isTaken: (name) => call('isTaken', () => foreign.has(name)),
    create: (spec) =>
      call('create', () => {
        if (foreign.has(spec.name)) throw new RuntimeError('conflict', `${spec.name} is another host's`);
        if (instances.has(spec.name)) throw new RuntimeError('conflict', `${spec.name} exists`);
        const id = `i${++ids}`;
        instances.set(spec.name, {
          spec,
          name: spec.name,
          id,
          state: 'created',
          createdAt: now(),
          asked: false,
        });
        told(spec.name);
      }),
    start: (name) =>
      call('start', () => {
        const one = instances.get(name);
        if (!one) throw new RuntimeError('not-found', `${name} does not exist`);
        if (one.state !== 'created') throw new RuntimeError('conflict', `${name} has been started`);
        one.state = 'running';
        one.startedAt = now();
        lives.push({ bot: one.spec.bot, run: one.spec.run, hash: one.spec.hash, from: now() });
        told(name);
      }),
    stop: (name) =>
      call('stop', () => {
        const one = instances.get(name);
        if (one?.state !== 'running') return;
        signals.push({ name, signal: 'SIGTERM', at: now() });
        one.asked = true;
      }),
    kill: (name) =>
      call('kill', () => {
        signals.push({ name, signal: 'SIGKILL', at: now() });
        end(name, 137);
      }),
    retire: (name, to) =>
      call('retire', () => {
        const one = instances.get(name);
        if (!one) return;
        if (one.state !== 'ended') throw new RuntimeError('conflict', `${name} has not ended`);
        instances.delete(name);
        one.name = to;
        instances.set(to, one);
        told(name);
        told(to);
      }),
    remove: (name) =>
      call('remove', () => {
        if (instances.get(name)?.state === 'running') throw new RuntimeError('conflict', `${name} runs`);
        instances.delete(name);
        told(name);
      }),
    logs: async function* () {},
    exec: () => Promise.reject(new RuntimeError('refused', 'the model runs no programs')),
    dial: () => Promise.reject(new RuntimeError('refused', 'the model has no ports')),
    capacity: async () => ({ cpus: 2, memoryBytes: 8 * 1024 ** 3 }),
    close: async () => undefined,
  };
  return { engine, instances, foreign, lives, signals, end, told };
}
