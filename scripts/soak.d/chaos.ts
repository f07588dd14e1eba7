import { setTimeout as sleep } from 'node:timers/promises';
import { signalProcess } from '../../src/base/process/signalProcess.ts';
import { type Role, roleOf } from '../../test/support/process/roleOf.ts';
import type { Fault, FaultProxy } from '../../test/support/store/faultProxy.ts';

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
  /** How often who was killed, in words. */
  readonly kills: () => string;
  /** From now on requests are struck, and nobody is killed. */
  spare(): void;
  stop(): Promise<void>;
}

/** Of the requests that a fault could strike, this part is. */
const STRUCK_PART = 0.6;

const victims: readonly Role[] = ['daemon', 'daemon', 'query', 'query', 'guard'];

/** Strikes requests and kills the supervisor's processes at random, until stopped. */
export function startChaos(
  proxy: FaultProxy,
  random: () => number,
  supervisor: () => number | undefined,
): Chaos {
  const stopped = new AbortController();
  const spared = new AbortController();
  const kills = new Map<Role, number>();
  const struck = () => proxy.requests.filter(({ fault }) => fault !== undefined).length;
  let injected = 0;
  const pause = (ms: number) => sleep(ms, undefined, { signal: stopped.signal }).catch(() => undefined);
  const strike = async () => {
    while (!stopped.signal.aborted) {
      await pause(200 + random() * 1500);
      // A client that waits longer between its tries than we between ours would never get through.
      if (injected > struck()) continue;
      const fault = faults[Math.floor(random() * faults.length)]!;
      const times = 1 + Math.floor(random() * 3);
      injected += times;
      proxy.inject({ when: () => random() < STRUCK_PART, fault, times });
    }
  };
  const kill = async () => {
    while (!stopped.signal.aborted && !spared.signal.aborted) {
      await pause(1000 + random() * 4000);
      const pid = supervisor();
      const role = victims[Math.floor(random() * victims.length)]!;
      const victim = pid === undefined ? undefined : roleOf(pid, role);
      if (victim === undefined || stopped.signal.aborted || spared.signal.aborted) continue;
      if (signalProcess(victim, 'SIGKILL')) kills.set(role, (kills.get(role) ?? 0) + 1);
    }
  };
  const running = Promise.all([strike(), kill()]);
  return {
    struck,
    kills: () => [...kills].map(([role, times]) => `${role} ${times}`).join(', '),
    spare: () => spared.abort(),
    stop: async () => {
      stopped.abort();
      await running;
    },
  };
}
