import type { Clock } from '../../base/clock.ts';
import type { Publisher } from '../state/publish/publisher.ts';

/** A bot that removes all that is in its state is done with that by then. Milliseconds. */
const SOON_MS = 300;

/**
 * Puts the state's marker right soon after it was asked to, once for all calls meanwhile. A container that is killed before the next look
 * would otherwise not know its own state again, and lose what was not saved.
 */
export function keepMarkerSoon(
  publisher: Pick<Publisher, 'keepMarker'>,
  clock: Clock,
  signal: AbortSignal,
): () => void {
  let isWaiting = false;
  return () => {
    if (isWaiting || signal.aborted) return;
    isWaiting = true;
    clock.sleep(SOON_MS, signal).then(
      () => {
        isWaiting = false;
        publisher.keepMarker();
      },
      () => undefined,
    );
  };
}
