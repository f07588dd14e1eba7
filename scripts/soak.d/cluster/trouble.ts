import { setTimeout as sleep } from 'node:timers/promises';
import type { Trouble as ApiTrouble } from '../../../test/support/kubernetes/apiProxy.ts';
import type { Minio } from '../../../test/support/store/minio.ts';
import type { Replicas } from './replicas.ts';

export interface Trouble {
  /** What has happened how often, in words. */
  told(): string;
  /** From now on no host is killed or stopped, so that its memory can be followed. */
  spare(): void;
  /** Ends what is under way. */
  stop(): Promise<void>;
}

/** A lease is lost after 10 s: some of what stands still is back before, some is not. Milliseconds. */
const STILL_MS = 15_000;
const STORE_AWAY_MS = 8_000;

/** One thing after the other goes wrong, at random, until stopped. */
export function startTrouble(replicas: Replicas, minio: Minio, random: () => number): Trouble {
  const stopped = new AbortController();
  const spared = new AbortController();
  const counts = new Map<string, number>();
  const pause = (ms: number) => sleep(ms, undefined, { signal: stopped.signal }).catch(() => undefined);
  const one = () => replicas.all[Math.floor(random() * replicas.all.length)]!;

  const deadly: Record<string, () => Promise<void>> = {
    'host killed': async () => await ((await replicas.leader()) ?? one()).kill(),
    'host stopped for a while': async () => {
      const host = ((await replicas.leader()) ?? one()).host();
      host.signal('SIGSTOP');
      await pause(random() * STILL_MS);
      host.signal('SIGCONT');
    },
    'API silent': async () => {
      const { proxy } = (await replicas.leader()) ?? one();
      proxy.silent = true;
      await pause(random() * STILL_MS);
      proxy.silent = false;
    },
  };
  const harmless: Record<string, () => Promise<void>> = {
    'API cut': () => struck('cut'),
    'API answers 500': () => struck({ status: 500 }),
    'API answers 429': () => struck({ status: 429, headers: { 'retry-after': '1' } }),
    'answers lost': () => struck('lose-answer'),
    'watches cut': async () => {
      for (const { proxy } of replicas.all) proxy.cutWatches();
    },
    'store away': async () => {
      minio.pause();
      await pause(random() * STORE_AWAY_MS);
      minio.resume();
    },
  };

  async function struck(trouble: ApiTrouble) {
    const { proxy } = one();
    // Not all of them: what comes through in between is what makes it difficult.
    proxy.trouble = () => (random() < 0.5 ? trouble : undefined);
    await pause(random() * 4_000);
    proxy.trouble = () => undefined;
  }

  async function happen(): Promise<void> {
    while (!stopped.signal.aborted) {
      await pause(1_000 + random() * 5_000);
      if (stopped.signal.aborted) return;
      const may = Object.entries(spared.signal.aborted ? harmless : { ...harmless, ...deadly });
      const [name, occur] = may[Math.floor(random() * may.length)]!;
      counts.set(name, (counts.get(name) ?? 0) + 1);
      await occur();
    }
  }
  const happening = happen();
  return {
    told: () => [...counts].map(([name, times]) => `${name} ${times}`).join(', '),
    spare: () => spared.abort(),
    stop: async () => {
      stopped.abort();
      await happening;
    },
  };
}
