import { isMemoryTight } from '../../../base/isMemoryTight.ts';
import { parseClaim } from '../../../bot/state/claim/claim.ts';
import { loadSnapshot } from '../../../bot/state/read/loadSnapshot.ts';
import type { Started } from './startUp.ts';

/**
 * Reads the newest snapshot of a state that was kept, while the bot runs: where the bot ends before it has a daemon, `saveHere` compares
 * its state with that. A realtime bot does not end so soon. What cannot be read is read again by who needs it, and that says why.
 */
export function readAhead({
  pulled,
  config,
  clock,
  log,
}: Pick<Started, 'pulled' | 'config' | 'clock' | 'log'>): void {
  if (!pulled || pulled.restored.snapshot || config.botType === 'realtime' || isMemoryTight()) return;
  const newest = parseClaim(pulled.state, config.botId).head.snapshots.at(-1);
  if (newest?.manifest === undefined) return;
  const read = async () => {
    // Once: it must not outlast the time that a save has.
    const store = await pulled.stores.open('state', 0);
    const context = { store, bot: config.botId, clock, warn: () => undefined };
    return await loadSnapshot(context, newest, new AbortController().signal);
  };
  pulled.restored.snapshot = read().catch((error: Error) => {
    log.debug(`the last snapshot was not read ahead: ${error.message}`);
    return undefined;
  });
}
