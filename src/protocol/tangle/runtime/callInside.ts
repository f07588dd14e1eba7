import http, { type IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { answerOf } from '../../../base/httpAnswer.ts';
import type { Secret } from '../../../base/secret.ts';
import type { Sandboxes } from '../../../host/sandboxes/sandboxes.ts';

export interface InsideCall {
  readonly id: string;
  readonly port: number;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly token: Secret | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** After so long without a byte nobody is there any more. */
  readonly quietMs?: number;
}

/** Our own servers inside say something every 15 s. */
const QUIET_MS = 60_000;

/**
 * A call of our own to a server inside of a sandbox: the head of its answer. Throws what `dial` does, and the network's errors. One that was
 * stopped from inside (SIGSTOP) takes connections, and then is as if it were not there: also in the middle of its answer.
 */
export async function callInside(
  sandboxes: Pick<Sandboxes, 'dial'>,
  { id, port, method, path, token, headers, body, quietMs = QUIET_MS }: InsideCall,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const socket = await sandboxes.dial(id, port, signal);
  const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  // On a connection of its own: one that was kept may be dead, and nothing is sent twice to find out.
  const outgoing = http.request({
    createConnection: () => socket as never,
    method,
    path,
    headers: {
      host: `127.0.0.1:${port}`,
      ...headers,
      ...(token === undefined ? {} : { authorization: `Bearer ${token.reveal()}` }),
      ...(bytes === undefined ? {} : { 'content-type': 'application/json', 'content-length': bytes.length }),
    },
    signal,
  });
  // A model of a socket has no time.
  if (socket instanceof Socket)
    socket.setTimeout(quietMs, () => socket.destroy(new Error(`it said nothing for ${quietMs / 1000} s`)));
  const answered = answerOf(outgoing);
  outgoing.end(bytes);
  try {
    const answer = await answered;
    answer.once('close', () => socket.destroy());
    return answer;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}
