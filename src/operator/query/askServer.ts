import { RuntimeError } from '../../base/errors.ts';
import { whyFetchFailed } from '../../base/whyFetchFailed.ts';
import { MAX_ANSWER_BYTES, parseAnswer } from '../../bot/answers/answer.ts';
import type { Asked, Question } from './asked.ts';

export interface AskServerOptions {
  readonly token: string | undefined;
  readonly timeoutMs: number;
}

/** Asks a running bot. The runtime's own paths are read with a GET. Throws `unavailable` when nobody answers in time. */
export async function askServer(
  url: string,
  { path, params }: Question,
  { token, timeoutMs }: AskServerOptions,
): Promise<Asked> {
  const address = `${url.replace(/\/+$/, '')}${path}`;
  const hasParams = Object.keys(params).length > 0;
  try {
    const response = await fetch(address, {
      method: hasParams ? 'POST' : 'GET',
      headers: {
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...(hasParams ? { 'content-type': 'application/json' } : {}),
      },
      ...(hasParams ? { body: JSON.stringify(params) } : {}),
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    const bytes = await readLimited(response);
    // The metrics and their like are not answer objects.
    const isOk = response.ok && parseAnswer(bytes)?.status !== 'error';
    return { bytes, exitCode: isOk ? 0 : 1 };
  } catch (error) {
    const why = whyFetchFailed(error);
    throw new RuntimeError('unavailable', `${new URL(url).host} gave no answer: ${why}`, {
      op: 'query.ask',
      hint: 'Is the bot realtime, running, and its port 9476 reachable? `/_runtime/readyz` tells.',
      cause: error,
    });
  }
}

async function readLimited(response: Response): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of response.body ?? []) {
    size += piece.length;
    if (size > MAX_ANSWER_BYTES) throw new Error(`the answer is larger than ${MAX_ANSWER_BYTES} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
