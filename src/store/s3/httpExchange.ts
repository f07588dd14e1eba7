import type { ClientRequest, IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { isRuntimeError, systemCode } from '../../base/errors.ts';
import { measuredBody } from '../measuredBody.ts';
import type { ObjectBody } from '../objectStore.ts';
import { sizeOf } from '../sha256.ts';
import { mayBeUnread, strayBytes, timeoutError } from './networkError.ts';

export interface Exchange {
  /** For messages. */
  readonly key: string;
  readonly body: ObjectBody | undefined;
  /** Whether a large body is sent only once the store says that it wants it; default true. */
  readonly asksFirst?: boolean;
  /** Milliseconds. */
  readonly connectMs: number;
  /** Milliseconds in which no byte moves. */
  readonly idleMs: number;
  readonly signal: AbortSignal | undefined;
}

/** From here on it pays to ask before sending: a store that refuses would cut the line under the body. Bytes. */
export const ASK_FIRST_BYTES = 1024 * 1024;
/** Servers that do not know the question stay silent. Milliseconds. */
const ASK_MS = 1000;

/** Sends the body and resolves with the answer, its body not yet read. */
export async function exchange(request: ClientRequest, options: Exchange): Promise<IncomingMessage> {
  const { body, key, signal } = options;
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve);
    // Stays for good: an error after the head reaches the reader of the body.
    request.on('error', (error) => reject(isStray(request, error) ? strayBytes(error) : error));
  });
  answer.catch(() => {});
  request.once('response', (response) => {
    // An answer that came early: the server does not read the rest of the body, so the connection is of no further use.
    if (!request.writableFinished) response.once('end', () => request.destroy());
    const { socket } = response;
    if (mayBeUnread(body, response.statusCode)) response.once('end', () => socket.destroy());
  });
  limitConnecting(request, options.connectMs);
  limitIdling(request, options.idleMs);

  const asks = options.asksFirst !== false && body && sizeOf(body) >= ASK_FIRST_BYTES;
  if (asks && !(await mayContinue(request, answer))) return await answer;
  if (!body || body instanceof Uint8Array) {
    request.end(body);
    return await answer;
  }
  const sent = pipeline(measuredBody(body, { key, signal }), request).then(
    () => answer,
    (error: unknown) => {
      // Of a connection that broke, the answer says more, or why there is none; of a bad source, nobody else knows.
      if (!isRuntimeError(error)) return answer;
      request.destroy();
      throw error;
    },
  );
  return await Promise.race([answer, sent]);
}

function isStray(request: ClientRequest, error: unknown): boolean {
  return request.reusedSocket && /^HPE_/.test(systemCode(error) ?? '');
}

/** False: the store has answered without wanting the body. */
function mayContinue(request: ClientRequest, answer: Promise<unknown>): Promise<boolean> {
  request.setHeader('expect', '100-continue');
  request.flushHeaders();
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ASK_MS, true);
    const settle = (value: boolean) => {
      clearTimeout(timer);
      resolve(value);
    };
    request.once('continue', () => settle(true));
    answer.then(
      () => settle(false),
      () => settle(false),
    );
  });
}

function limitConnecting(request: ClientRequest, ms: number): void {
  request.once('socket', (socket) => {
    if (!socket.connecting) return;
    const giveUp = () => request.destroy(timeoutError(`no connection within ${ms} ms`));
    const timer = setTimeout(giveUp, ms);
    const done = () => clearTimeout(timer);
    socket.once('encrypted' in socket ? 'secureConnect' : 'connect', done);
    request.once('close', done);
  });
}

function limitIdling(request: ClientRequest, ms: number): void {
  let response: IncomingMessage | undefined;
  request.once('response', (received) => {
    response = received;
  });
  request.setTimeout(ms, () => {
    // Bytes are waiting for our own reader: the store is not to blame.
    if (response && response.readableLength > 0) request.setTimeout(ms);
    else (response ?? request).destroy(timeoutError(`no byte within ${ms} ms`));
  });
}
