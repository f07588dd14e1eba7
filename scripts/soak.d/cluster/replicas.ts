import { type ApiProxy, apiProxy } from '../../../test/support/kubernetes/apiProxy.ts';
import { type HostEnv, type HostProcess, startHost } from '../../../test/support/kubernetes/fleet.ts';

export interface Replica {
  readonly proxy: ApiProxy;
  /** Of the process that runs now. */
  host(): HostProcess;
  /** SIGKILL, and another one at once, as the kubelet does. */
  kill(): Promise<void>;
}

export interface Replicas extends AsyncDisposable {
  readonly all: readonly Replica[];
  /** How often one ended by itself, by its code: 75 is how a replica ends that has lost its lease. */
  readonly ends: ReadonlyMap<number | string, number>;
  /** The one that works. */
  leader(): Promise<Replica | undefined>;
}

/** So many replicas of a host, each behind a proxy of its own. One that ends is started again. */
export async function startReplicas(count: number, env: HostEnv): Promise<Replicas> {
  const ends = new Map<number | string, number>();
  const all: (Replica & { end(): Promise<void> })[] = [];
  for (let i = 0; i < count; i += 1) all.push(await startReplica(env, ends));
  return {
    all,
    ends,
    leader: async () => {
      for (const one of all) if ((await one.host().bots()) !== undefined) return one;
      return undefined;
    },
    [Symbol.asyncDispose]: async () => {
      for (const one of all) await one.end();
    },
  };
}

async function startReplica(env: HostEnv, ends: Map<number | string, number>) {
  const proxy = await apiProxy(env.kubeconfig);
  let isOver = false;
  const killed = new WeakSet<HostProcess>();
  const begin = (): HostProcess => {
    const host = startHost({ ...env, kubeconfig: proxy.kubeconfig });
    void host.ended.then((how) => {
      if (isOver) return;
      if (!killed.has(host)) ends.set(how, (ends.get(how) ?? 0) + 1);
      current = begin();
    });
    return host;
  };
  let current = begin();
  const kill = async () => {
    killed.add(current);
    await current.end();
  };
  return {
    proxy,
    host: () => current,
    kill,
    end: async () => {
      isOver = true;
      current.signal('SIGCONT');
      await kill();
      await proxy[Symbol.asyncDispose]();
    },
  };
}
