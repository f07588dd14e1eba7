import { asRuntimeError } from '../../base/errors.ts';
import { isPruneDue } from './isPruneDue.ts';
import type { SyncOptions } from './syncOptions.ts';

/** Removes what no kept snapshot needs, after so many snapshots. A failure is a warning: the next time finds what is left. */
export async function pruneWhenDue(
  { prune, log }: Pick<SyncOptions, 'prune' | 'log'>,
  sequence: number,
  signal: AbortSignal,
): Promise<void> {
  if (!isPruneDue(sequence)) return;
  await prune(signal).catch((error: unknown) => {
    if (!signal.aborted) log.warn(`old snapshots are not pruned: ${asRuntimeError(error).message}`);
  });
}
