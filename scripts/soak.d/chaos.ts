import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault, FaultProxy } from '../../test/support/faultProxy.ts';
import { roleOf } from '../../test/support/roleOf.ts';

const faults: readonly Fault[] = [
  { delayMs: 300 },
  { reset: true },
  { status: 500, code: 'InternalError' },
  { status: 503, code: 'SlowDown' },
  { status: 429, code: 'TooManyRequests' },
  { cutRequestAfter: 50 },
  { cutResponseAfter: 10 },
  { dropResponse: true },
  { corruptRequest: true },
];

export interface Chaos {
  readonly struck: () => number;
  readonly kills: () => number;
  stop(): Promise<void>;
}

/** Strikes requests and kills the daemon at random, until stopped. */
export function startChaos(
  proxy: FaultProxy,
  random: () => number,
  supervisor: () => number | undefined,
): Chaos {
  const stopped = new AbortController();
  let kills = 0;
  const pause = (ms: number) => sleep(ms, undefined, { signal: stopped.signal }).catch(() => undefined);
  const strike = async () => {
    while (!stopped.signal.aborted) {
      await pause(200 + random() * 1500);
      const fault = faults[Math.floor(random() * faults.length)]!;
      proxy.inject({ when: () => true, fault, times: 1 + Math.floor(random() * 3) });
    }
  };
  const kill = async () => {
    while (!stopped.signal.aborted) {
      await pause(2000 + random() * 6000);
      const pid = supervisor();
      const daemon = pid === undefined ? undefined : roleOf(pid, 'daemon');
      if (daemon === undefined || stopped.signal.aborted) continue;
      process.kill(daemon, 'SIGKILL');
      kills += 1;
    }
  };
  const running = Promise.all([strike(), kill()]);
  return {
    struck: () => proxy.requests.filter(({ fault }) => fault !== undefined).length,
    kills: () => kills,
    stop: async () => {
      stopped.abort();
      await running;
    },
  };
}
