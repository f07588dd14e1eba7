import type { SandboxRecord } from '../record.ts';
import type { SharedRecord } from './sharedRecords.ts';

export type Whose =
  /** This host's. */
  | 'ours'
  | 'nobodys'
  /** Another host has it, or it was taken away: it is none of this host's. */
  | 'anothers'
  /** This host's, and the store has no record of it: somebody has emptied that, or had it thrown away elsewhere. */
  | 'lost';

/** Whose the store says that a sandbox is which this host has written down, and has told the store of (`held` is not undefined). */
export function whoseIs(
  { held }: Pick<SandboxRecord, 'held'>,
  found: Pick<SharedRecord, 'holder'> | undefined,
  host: string | undefined,
): Whose {
  if (found === undefined) return held ? 'lost' : 'anothers';
  if (found.holder === undefined) return 'nobodys';
  return found.holder === host ? 'ours' : 'anothers';
}
