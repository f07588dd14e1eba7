import type { StreamName } from '../frame.ts';

/** How far the journal has been read: everything before is done with, except lines that have not ended yet. */
export interface Position {
  /** Bytes since the journal's beginning. */
  readonly offset: number;
  /** Lines that ended before. */
  readonly lines: number;
  /** Where the line begins that is unfinished at `offset`, per stream that has one. */
  readonly open: Readonly<Partial<Record<StreamName, number>>>;
}

export const journalStart: Position = { offset: 0, lines: 0, open: {} };

/** What comes before is not needed any more. */
export function neededFrom(position: Position): number {
  return Math.min(position.offset, ...Object.values(position.open));
}
