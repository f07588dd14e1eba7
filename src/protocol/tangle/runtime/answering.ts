import type { Clock } from '../../../base/clock.ts';
import type { Sandboxes } from '../../../host/sandboxes/sandboxes.ts';
import { HttpError } from '../http/httpError.ts';
import { lookInside } from './lookInside.ts';

/** Between two looks, milliseconds. */
const LOOK_MS = 3_000;
/** So many looks in a row without an answer, a minute and a half, and nobody waits any more. */
const MOST_MISSES = 12;

export interface Answering {
  readonly sandboxes: Pick<Sandboxes, 'dial' | 'wake'>;
  readonly clock: Clock;
}

/**
 * Looks, while calls are under way in a sandbox, whether it still answers anything at all: it takes connections also when its first process
 * stands still, and whatever runs inside may have sent that a SIGSTOP. It is told to go on then; where that does not help, this resolves
 * with what all that wait are told. Undefined: they wait no more (`over`).
 */
export async function untilSilent(
  id: string,
  { sandboxes, clock }: Answering,
  over: AbortSignal,
): Promise<HttpError | undefined> {
  for (let misses = 0; misses < MOST_MISSES; ) {
    await clock.sleep(LOOK_MS, over).catch(() => undefined);
    if (over.aborted) return undefined;
    // One that refuses, or is gone, has told it to whoever waits.
    const answers = await lookInside({ sandboxes, clock }, id, over).catch(() => 'refused');
    if (answers !== undefined) misses = 0;
    else {
      misses += 1;
      await sandboxes.wake(id, over).catch(() => undefined);
    }
  }
  return new HttpError(
    502,
    'SANDBOX_UNREACHABLE',
    `sandbox ${id} takes connections and answers nothing: its first process was stopped from inside, or gets no processor. Stop it, and resume it`,
  );
}
