import type { Clock } from '../../../base/clock.ts';
import { readWhole } from '../../../base/httpAnswer.ts';
import { QUERY_PORT } from '../../../host/engine/queryPort.ts';
import type { Sandboxes } from '../../../host/sandboxes/sandboxes.ts';
import { HttpError } from '../http/httpError.ts';
import { callInside } from '../runtime/callInside.ts';

/** How long one that has only just begun may take until it can save, and how often it is asked. Milliseconds. */
const PATIENCE_MS = 15_000;
const AGAIN_MS = 250;
/** A disk that is larger than what is uploaded in this time is not saved by a call. */
const LONGEST_MS = 900_000;
const MOST_BYTES = 64 * 1024;

/** Has a sandbox that runs save its disk as it is now: the sequence of the snapshot that holds it, 0 for a disk that is empty and always was. Throws 503. */
export async function publishNow(
  sandboxes: Sandboxes,
  id: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<number> {
  const until = clock.now() + PATIENCE_MS;
  const call = { id, port: QUERY_PORT, method: 'POST' as const, path: '/_runtime/publish' };
  for (;;) {
    let why: string;
    try {
      const token = sandboxes.publishToken(id);
      const answer = await callInside(sandboxes, { ...call, token, quietMs: LONGEST_MS }, signal);
      const text = await readWhole(answer as AsyncIterable<Buffer>, MOST_BYTES);
      const said = JSON.parse(text) as { data?: { sequence?: number }; error?: string };
      const { sequence } = said.data ?? {};
      if (answer.statusCode === 200 && typeof sequence === 'number') return sequence;
      why = said.error ?? `it answers ${answer.statusCode}`;
    } catch (error) {
      signal.throwIfAborted();
      why = (error as Error).message;
    }
    if (clock.now() >= until)
      throw new HttpError(
        503,
        'UNAVAILABLE',
        `sandbox ${id} could not save its disk: ${why}`,
        {},
        { 'retry-after': '5' },
      );
    await clock.sleep(AGAIN_MS, signal);
  }
}
