import type { Clock } from '../../../base/clock.ts';
import type { Logger } from '../../../base/log.ts';
import { type RoleProcess, type Self, startRole } from '../../process/roleProcess.ts';
import { backoffMs } from './backoff.ts';

export interface KeepOptions<Send extends object, Receive extends object> {
  readonly self: Self;
  readonly role: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly tuning?: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** The first message to a process; `restarts` is 0 for the first process. */
  readonly greet: (restarts: number) => readonly Send[];
  readonly onMessage: (message: Receive) => void;
  /** Called after each death; false: it is not started again. */
  readonly onDeath: (deaths: number) => boolean;
}

export interface KeptRole<Send> extends RoleProcess<Send> {
  /** The container ends: from now on a restart does not wait. The count of deaths begins again at zero. */
  hurry(): void;
  /** The process works: the count of deaths begins again at zero. */
  forgive(): void;
  /** From now on the process is not started again. */
  release(): void;
}

/** Starts a role and keeps it running: a process that dies is started again, after a wait that grows with the deaths in a row. */
export function keepRole<Send extends object, Receive extends object>(
  options: KeepOptions<Send, Receive>,
): KeptRole<Send> {
  const { clock, log } = options;
  const released = new AbortController();
  const hurried = new AbortController();
  const name = options.role.join(' ');
  let deaths = 0;
  let restarts = 0;

  const start = (): RoleProcess<Send> => {
    const started = startRole<Send, Receive>(options.self, {
      role: options.role,
      env: options.env,
      tuning: options.tuning,
      onMessage: options.onMessage,
      onExit: (code, signal) => void restart(code, signal),
    });
    for (const message of options.greet(restarts)) started.send(message);
    return started;
  };

  const restart = async (code: number | null, signal: NodeJS.Signals | null) => {
    if (released.signal.aborted) return;
    deaths += 1;
    if (!options.onDeath(deaths)) return released.abort();
    log.warn(`${name} died and is started again`, { code: code ?? undefined, signal: signal ?? undefined });
    if (!hurried.signal.aborted) {
      const wait = AbortSignal.any([released.signal, hurried.signal]);
      await clock.sleep(backoffMs(deaths, options.random), wait).catch(() => undefined);
    }
    if (released.signal.aborted) return;
    restarts += 1;
    current = start();
  };

  let current = start();
  return {
    get pid() {
      return current.pid;
    },
    send: (message, onItsWay) => current.send(message, onItsWay),
    kill: (signal) => current.kill(signal),
    hurry: () => {
      deaths = 0;
      hurried.abort();
    },
    forgive: () => {
      deaths = 0;
    },
    release: () => released.abort(),
  };
}
