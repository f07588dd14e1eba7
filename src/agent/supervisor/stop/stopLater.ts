import type { Clock } from '../../../base/clock.ts';
import { whenAborted } from '../../../base/whenAborted.ts';
import { syncBudgetMs } from './stopBudget.ts';
import type { StopRequest } from './stopRequest.ts';

/**
 * Aborted once a stop has been requested and this share of what its budget leaves for the final sync is over: for whatever had all
 * the time that it liked until then. `over` ends the watch.
 */
export function stopLater(stop: StopRequest, share: number, clock: Clock, over: AbortSignal): AbortSignal {
  const hurry = new AbortController();
  const watch = async () => {
    await whenAborted(AbortSignal.any([stop.requested, over]));
    if (stop.budget) await clock.sleep(syncBudgetMs(stop.budget, clock.elapsed()) * share, over);
    hurry.abort();
  };
  watch().catch(() => undefined);
  return hurry.signal;
}
