import { isRuntimeError } from '../../base/errors.ts';
import { pruneWhenDue } from './pruneWhenDue.ts';
import type { SyncOptions } from './syncOptions.ts';

/** When a bot is taken to be one that stays, milliseconds. */
const PREPARE_MS = 1000;

/**
 * What the first publish needs anyway, while nobody waits for it; a bot that ends at once does not need it. Throws `fenced` only: the
 * publish itself meets any other trouble.
 */
export async function prepareFirst(options: SyncOptions, signal: AbortSignal): Promise<void> {
  await options.clock.sleep(PREPARE_MS, signal).catch(() => undefined);
  if (signal.aborted) return;
  await options.publisher.prepare({ signal }).catch((error: unknown) => {
    if (!isRuntimeError(error, 'fenced')) return;
    options.onFenced(error);
    throw error;
  });
  // A bot that lives for one publish would else never prune.
  await pruneWhenDue(options, options.sequence, signal);
}
