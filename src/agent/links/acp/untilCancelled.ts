import type { Clock } from '../../../base/clock.ts';
import { whenAborted } from '../../../base/whenAborted.ts';
import { CANCEL_MS } from '../agentLink.ts';

/** The answer to a prompt; aborted, the agent is told to cancel it, and it has `CANCEL_MS` to come all the same. */
export async function untilCancelled<T>(
  answer: Promise<T>,
  signal: AbortSignal,
  clock: Clock,
  cancel: () => void,
): Promise<T> {
  const settled = new AbortController();
  const late = async (): Promise<never> => {
    await whenAborted(AbortSignal.any([signal, settled.signal]));
    if (!settled.signal.aborted) {
      cancel();
      await clock.sleep(CANCEL_MS, settled.signal);
    }
    throw signal.reason;
  };
  const waiting = late();
  waiting.catch(() => undefined);
  return await Promise.race([answer, waiting]).finally(() => settled.abort());
}
