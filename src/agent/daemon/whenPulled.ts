import { mkdirSync } from 'node:fs';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import { readMarker } from '../../bot/state/claim/tree/marker.ts';
import { isEmpty } from '../../bot/state/local/isEmpty.ts';
import { openRoot } from '../../bot/state/local/treeRoot.ts';

const LOOK_MS = 200;

export interface WhenPulledOptions {
  /** STATE_PATH; created where it is missing. */
  readonly dir: string;
  readonly bot: string;
  /** Called when there is nothing yet that could be lost: an orchestrator may start the bot. */
  readonly onWaiting: () => void;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/**
 * Waits until the bot's own container has pulled, where the volume is empty. Resolves at once where it is not: `claimLocal` then judges
 * what is there. False: aborted before that.
 */
export async function whenPulled({
  dir,
  bot,
  onWaiting,
  clock,
  log,
  signal,
}: WhenPulledOptions): Promise<boolean> {
  mkdirSync(dir, { recursive: true });
  const root = openRoot(dir);
  if (readMarker(root) !== undefined || !isEmpty(root)) return true;
  log.info('nothing is pulled yet: waiting for the bot');
  onWaiting();
  for (;;) {
    const marker = readMarker(root);
    if (marker?.complete && marker.bot === bot) return true;
    if (signal.aborted) return false;
    await clock.sleep(LOOK_MS, signal).catch(() => undefined);
  }
}
