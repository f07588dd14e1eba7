import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { systemClock } from '../../../src/base/clock.ts';
import { inParallel } from '../../../src/bot/state/read/inParallel.ts';
import { follow } from '../../../src/host/kubernetes/follow.ts';
import type { KubeClient } from '../../../src/host/kubernetes/kubeClient.ts';
import type { KubeObject } from '../../../src/host/kubernetes/objects.ts';
import { type Resource, resource } from '../../../src/host/kubernetes/resource.ts';
import type { BotObject } from '../../../src/host/sources/kubernetes/readBot.ts';
import type { MinioAddress } from '../store/minio.ts';
import { aBot } from './withBots.ts';

/** The executable as a host in a cluster, from outside of it. */
export interface HostProcess {
  readonly pid: number;
  readonly child: ChildProcess;
  log(): string;
  /** Bots by state, as its metrics have them; undefined: it does not work yet. */
  bots(): Promise<Readonly<Record<string, number>> | undefined>;
  /** `runtime bots` with these arguments; `apply` takes the text of a file. Throws with what it says. */
  ask(...args: string[]): Promise<string>;
  signal(signal: NodeJS.Signals): void;
  /** Resolves with its exit code, or the signal. */
  readonly ended: Promise<number | string>;
  /** Kills it. */
  end(): Promise<void>;
}

export interface HostEnv {
  readonly kubeconfig: string;
  readonly namespace: string;
  readonly store: MinioAddress;
  readonly more?: Readonly<Record<string, string>>;
}

const execute = promisify(execFile);

/** The archive that every bot of a fleet names. */
export const FLEET_CODE = 'fleet/code.tar';

const runtime = join(import.meta.dirname, '../../../dist/runtime');

export function startHost({ kubeconfig, namespace, store, more = {} }: HostEnv): HostProcess {
  const data = mkdtempSync(join(tmpdir(), 'cluster-host-'));
  const child = spawn(runtime, ['host', '--driver', 'kubernetes', '--bots', 'kubernetes:'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      PATH: process.env.PATH,
      KUBECONFIG: kubeconfig,
      NAMESPACE: namespace,
      MINIO_ENDPOINT: store.endpoint.replace(/^https?:\/\//, ''),
      MINIO_ACCESS_KEY: store.accessKey,
      MINIO_SECRET_KEY: store.secretKey,
      // Pods that are simulated ask nobody.
      MINIO_CONTAINER_ENDPOINT: 'store.example:9000',
      RUNTIME_HOST_DATA: data,
      RUNTIME_HOST_SOCKET: join(data, 'host.sock'),
      RUNTIME_HOST_QUERY_PORT: '0',
      RUNTIME_HOST_HEALTH_PORT: '0',
      ...more,
    },
  });
  let text = '';
  child.stderr!.on('data', (chunk) => {
    text = (text + chunk).slice(-200_000);
    port ??= /"health":(\d+)/.exec(text)?.[1];
  });
  let port: string | undefined;
  const ended = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | string);
  void ended.then(() => rmSync(data, { recursive: true, force: true }));
  return {
    pid: child.pid!,
    child,
    log: () => text,
    bots: async () => {
      if (port === undefined) return undefined;
      try {
        const answer = await fetch(`http://127.0.0.1:${port}/metrics`, {
          signal: AbortSignal.timeout(10_000),
        });
        const found = [...(await answer.text()).matchAll(/^runtime_host_bots\{state="(\w+)"\} (\d+)$/gm)];
        return found.length === 0 ? undefined : Object.fromEntries(found.map(([, s, n]) => [s!, Number(n)]));
      } catch {
        return undefined;
      }
    },
    ask: async (command = '', ...args) => {
      const file = join(data, 'given.yaml');
      if (command === 'apply') writeFileSync(file, args[0] ?? '');
      const all = command === 'apply' ? [file] : args;
      const socket = join(data, 'host.sock');
      return (await execute(runtime, ['bots', command, ...all, '--socket', socket], { timeout: 60_000 }))
        .stdout;
    },
    signal: (signal) => void child.kill(signal),
    ended,
    end: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

export interface SeenPod {
  readonly uid: string;
  readonly bot: string;
  readonly phase: string;
  readonly isLeaving: boolean;
  /** It waits for the host to start it. */
  readonly isGated: boolean;
}

/** Many bots in a namespace, and what becomes of their pods, seen by a watch of its own. */
export interface Fleet extends AsyncDisposable {
  /** By the bot: every pod that there is now. */
  readonly pods: ReadonlyMap<string, ReadonlyMap<string, SeenPod>>;
  /** Bots that had two pods at the same time that were to run. */
  readonly twice: readonly string[];
  /** So many different pods so far. */
  readonly made: number;
  readonly bots: Resource<BotObject>;
  create(names: readonly string[]): Promise<void>;
  /** Resolves once it is so; looks at each change. */
  until(is: () => boolean, ms?: number): Promise<void>;
  running(): number;
}

interface Pod extends KubeObject {
  readonly spec?: { readonly schedulingGates?: readonly unknown[] };
  readonly status?: { readonly phase?: string };
}

export async function openFleet(
  client: KubeClient,
  namespace: string,
  bots: Resource<BotObject>,
): Promise<Fleet> {
  const pods = new Map<string, Map<string, SeenPod>>();
  const uids = new Set<string>();
  const twice: string[] = [];
  const waiting = new Set<() => void>();
  const over = new AbortController();
  const keep = ({ metadata, spec, status }: Pod): SeenPod => ({
    uid: metadata.uid!,
    bot: metadata.annotations?.['runtime/bot'] ?? metadata.name,
    phase: status?.phase ?? '',
    isLeaving: metadata.deletionTimestamp !== undefined,
    isGated: (spec?.schedulingGates ?? []).length > 0,
  });
  const running = new Set<string>();
  const count = (bot: string): void => {
    const isRunning = [...(pods.get(bot)?.values() ?? [])].some(({ phase }) => phase === 'Running');
    if (isRunning) running.add(bot);
    else running.delete(bot);
    for (const wake of waiting) wake();
  };
  const mayRun = ({ phase, isGated }: SeenPod) => !isGated && (phase === 'Running' || phase === 'Pending');
  const put = (one: SeenPod): void => {
    uids.add(one.uid);
    const own = pods.get(one.bot) ?? new Map<string, SeenPod>();
    own.set(one.uid, one);
    pods.set(one.bot, own);
    if ([...own.values()].filter(mayRun).length > 1) twice.push(one.bot);
    count(one.bot);
  };
  let listed: () => void = () => undefined;
  const isListed = new Promise<void>((resolve) => {
    listed = resolve;
  });
  const following = follow<Pod, SeenPod>(
    resource<Pod>(client, { api: 'v1', plural: 'pods', namespace }),
    {
      clock: systemClock,
      random: Math.random,
      labelSelector: 'runtime.role in (bot,run)',
      keep,
      listed: (items) => {
        pods.clear();
        running.clear();
        items.forEach(put);
        listed();
      },
      changed: put,
      gone: (one) => {
        pods.get(one.bot)?.delete(one.uid);
        if (pods.get(one.bot)?.size === 0) pods.delete(one.bot);
        count(one.bot);
      },
      lost: () => undefined,
    },
    over.signal,
  );
  await isListed;
  return {
    pods,
    twice,
    get made() {
      return uids.size;
    },
    bots,
    create: (names) =>
      inParallel(
        20,
        names,
        over.signal,
        async (name, signal) => void (await bots.create(aBot(name, { code: { file: FLEET_CODE } }), signal)),
      ),
    until: async (is, ms = 100_000) => {
      const late = AbortSignal.timeout(ms);
      while (!is()) {
        await new Promise<void>((resolve) => {
          waiting.add(resolve);
          setTimeout(resolve, 1_000).unref();
        });
        waiting.clear();
        if (late.aborted)
          throw new Error(`not within ${ms} ms: ${is}; ${running.size} run, ${uids.size} were made`);
      }
    },
    running: () => running.size,
    [Symbol.asyncDispose]: async () => {
      over.abort();
      await following;
    },
  };
}

/** MiB that are in memory now, and the most so far. */
export function memoryOf(pid: number): { readonly now: number; readonly most: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024;
  return { now: mib('VmRSS'), most: mib('VmHWM') };
}
