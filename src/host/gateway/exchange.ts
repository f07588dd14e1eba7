import http, { type Agent, type IncomingMessage } from 'node:http';
import { MAX_ANSWER_BYTES } from '../../bot/answers/answer.ts';
import { QueryError } from '../../bot/answers/queryError.ts';
import type { QueryAddress } from '../api/hostApi.ts';
import type { Held } from './unsent.ts';

export interface Exchange {
  readonly method: 'GET' | 'POST';
  /** Path and query string. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
}

/**
 * One request to a bot's own query server, over a kept connection where there is one. Resolves with the answer's head; its body is
 * still to be read. Throws `QueryError` 502, or the signal's reason.
 */
export function ask(
  agent: Agent,
  { host, port }: QueryAddress,
  { method, target, headers, body }: Exchange,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': String(body.length) };
    const request = http.request({
      agent,
      host,
      port,
      method,
      path: target,
      headers: { ...headers, ...length },
      signal,
    });
    request.once('response', resolve);
    request.once('error', (error) => {
      if (signal.aborted) reject(signal.reason);
      // A kept connection that was closed meanwhile. Queries change nothing, so ask again.
      else if (request.reusedSocket)
        resolve(ask(agent, { host, port, instance: '' }, { method, target, headers, body }, signal));
      else reject(new QueryError(502, 'unavailable', `the bot does not answer (${reasonOf(error)})`));
    });
    request.end(body);
  });
}

/** The whole body. Throws `QueryError` 502 when it is too large or ends half-way, and what `held.grow` throws. */
export async function bodyOf(
  answer: IncomingMessage,
  signal: AbortSignal,
  held: Pick<Held, 'grow'> = { grow: () => undefined },
): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    for await (const piece of answer as AsyncIterable<Buffer>) {
      size += piece.length;
      if (size > MAX_ANSWER_BYTES) throw new QueryError(502, 'error', tooLarge);
      held.grow(piece.length);
      pieces.push(piece);
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof QueryError) throw error;
    throw new QueryError(502, 'unavailable', `the bot's answer ended half-way (${reasonOf(error as Error)})`);
  }
  return Buffer.concat(pieces);
}

const tooLarge = `the bot's answer is larger than ${MAX_ANSWER_BYTES} bytes`;

function reasonOf(error: Error): string {
  return (error as NodeJS.ErrnoException).code ?? error.message;
}
