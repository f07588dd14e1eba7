import { readProcessTable } from '../../../src/base/process/processTree.ts';

/** Whether a process of this machine is there and no zombie. */
export const isRunning = (pid: number): boolean =>
  readProcessTable().some((entry) => entry.pid === pid && entry.state !== 'Z');
