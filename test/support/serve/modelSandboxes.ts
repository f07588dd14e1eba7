import type { Duplex } from 'node:stream';
import { RuntimeError } from '../../../src/base/errors.ts';
import { Secret } from '../../../src/base/secret.ts';
import type { NewSandbox, Sandbox, Sandboxes } from '../../../src/host/sandboxes/sandboxes.ts';

export interface ModelSandboxes extends Sandboxes {
  /** What was asked of it, as it came. */
  readonly asked: NewSandbox[];
  /** Changes one as the host would. */
  set(id: string, change: Partial<Sandbox>): void;
}

/** A fake: sandboxes that are only written down, in memory. Each runs as soon as it is made. `dial` is the test's. */
export function modelSandboxes(
  dial: (id: string, port: number) => Promise<Duplex> = () =>
    Promise.reject(new RuntimeError('unavailable', 'nobody listens there')),
): ModelSandboxes {
  const all = new Map<string, Sandbox>();
  const asked: NewSandbox[] = [];
  const listeners = new Set<(sandbox: Sandbox) => void>();
  let next = 1;
  const find = (id: string): Sandbox => {
    const found = all.get(id);
    if (found === undefined) throw new RuntimeError('not-found', `there is no sandbox ${id}`);
    return found;
  };
  const set = (id: string, change: Partial<Sandbox>): Sandbox => {
    const changed = { ...find(id), ...change };
    all.set(id, changed);
    for (const listener of [...listeners]) listener(changed);
    return changed;
  };
  return {
    asked,
    set: (id, change) => void set(id, change),
    create: async (request) => {
      asked.push(request);
      const { secretEnv: _secret, from: _from, ...kept } = request;
      const id = `sb-${next++}`;
      const now = Date.now();
      all.set(id, {
        ...kept,
        id,
        status: 'provisioning',
        host: 'model',
        createdAt: now,
        startedAt: undefined,
        lastActivityAt: now,
        expiresAt: request.lifetimeMs === undefined ? undefined : now + request.lifetimeMs,
        error: undefined,
        cause: undefined,
      });
      const made = find(id);
      setImmediate(() => all.has(id) && set(id, { status: 'running', startedAt: now }));
      return made;
    },
    find: (id) => all.get(id),
    all: () => [...all.values()],
    sharesStore: false,
    visit: async () => 'nowhere',
    wake: async () => undefined,
    stop: async (id, cause) => set(id, { status: 'stopped', cause }),
    resume: async (id) => set(id, { status: 'running', cause: undefined }),
    remove: async (id) => {
      find(id);
      all.delete(id);
    },
    setIdleTimeout: async (id, idleMs) => set(id, { idleMs }),
    setEgress: async (id, egress) => {
      if (find(id).status !== 'stopped') throw new RuntimeError('conflict', `${id} runs`);
      return set(id, { egress });
    },
    touch: (id) => void set(id, { lastActivityAt: Date.now() }),
    until: async (id, statuses, signal) => {
      if (statuses.includes(find(id).status)) return find(id);
      return await new Promise((resolve, reject) => {
        const listener = (sandbox: Sandbox) => {
          if (sandbox.id === id && statuses.includes(sandbox.status)) resolve(sandbox);
        };
        listeners.add(listener);
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
    },
    dial,
    boxToken: (id) => new Secret(`box-of-${id}`),
    publishToken: (id) => new Secret(`publish-of-${id}`),
    agentToken: (id) => new Secret(`agent-of-${id}`),
    changes: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
