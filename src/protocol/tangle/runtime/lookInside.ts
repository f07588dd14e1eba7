import type { Clock } from '../../../base/clock.ts';
import { readWhole } from '../../../base/httpAnswer.ts';
import { BOX_PORT } from '../../../host/sandboxes/boxTokens.ts';
import type { Sandboxes } from '../../../host/sandboxes/sandboxes.ts';
import { callInside } from './callInside.ts';

/** What an answer may take, milliseconds, and have, bytes: whoever is inside may answer in the place of our own server. */
const ANSWER_MS = 5_000;
const MOST_BYTES = 16 * 1024;

/** What the API inside says of its health; undefined: nothing, for as long as anybody waits. Throws what `callInside` does, and for an answer that is too long. */
export async function lookInside(
  { sandboxes, clock }: { readonly sandboxes: Pick<Sandboxes, 'dial'>; readonly clock: Clock },
  id: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const late = new AbortController();
  const looked = new AbortController();
  void clock.sleep(ANSWER_MS, looked.signal).then(
    () => late.abort(),
    () => undefined,
  );
  const call = { id, port: BOX_PORT, method: 'GET', path: '/health', token: undefined } as const;
  try {
    const answer = await callInside(sandboxes, call, AbortSignal.any([signal, late.signal]));
    if (answer.statusCode !== 200) throw new Error(`it answers ${answer.statusCode}`);
    return await readWhole(answer as AsyncIterable<Buffer>, MOST_BYTES);
  } catch (error) {
    if (late.signal.aborted) return undefined;
    throw error;
  } finally {
    looked.abort();
  }
}
