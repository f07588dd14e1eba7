import { isRuntimeError } from '../../base/errors.ts';
import type { PublishReport } from '../state/publish/publishReport.ts';
import { pruneWhenDue } from './pruneWhenDue.ts';
import { publishOrCheck } from './publishOrCheck.ts';
import type { SyncOptions } from './syncOptions.ts';

/** What an entry of the state leaves in memory, each time that it is looked at and published, bytes. */
const ENTRY_BYTES = 500;

export interface SaveOptions {
  readonly signal: AbortSignal;
  /** Nothing comes after this one. */
  readonly final: boolean;
  /** See `PublishOptions`; default: `final`. */
  readonly complete?: boolean;
}

/** Publishes what has changed, reports it, and prunes now and then. Throws; a fencing is reported as well. */
export async function saveState(options: SyncOptions, how: SaveOptions): Promise<void> {
  const { signal, final } = how;
  const report = await publish(options, how);
  if (!report) return;
  const { sequence, uploadedBytes, durationMs, files } = report;
  options.log.debug('snapshot published', { sequence, uploadedBytes, durationMs });
  options.emit('snapshot.published', { ...report });
  options.onPublished(report);
  if (final) return;
  options.onWork(uploadedBytes + files * ENTRY_BYTES);
  await pruneWhenDue(options, sequence, signal);
}

async function publish(
  { publisher, botHasEnded, onFenced }: SyncOptions,
  { signal, final, complete = final }: SaveOptions,
): Promise<PublishReport | undefined> {
  try {
    return await publishOrCheck(publisher, { signal, still: final && botHasEnded, complete });
  } catch (error) {
    if (isRuntimeError(error, 'fenced')) onFenced(error);
    throw error;
  }
}
