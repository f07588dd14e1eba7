import { constants } from 'node:os';

/** How a process of ours ended. */
export interface CommandEnd {
  /** Null: a signal has ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** As a shell has it: 128 and the signal's number where one has ended it. */
export const exitCodeOf = ({ code, signal }: CommandEnd): number =>
  code ?? 128 + (signal ? constants.signals[signal] : 0);
