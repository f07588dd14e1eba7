import { signalProcess } from '../../../src/base/process/signalProcess.ts';
import { processesWith } from './roleOf.ts';

/** SIGKILL to all processes with this text in their environment, as if their machine went: none of them sees another's end. */
export function killTogether(environment: string): void {
  const pids = processesWith(environment);
  for (const signal of ['SIGSTOP', 'SIGKILL'] as const) for (const pid of pids) signalProcess(pid, signal);
}
