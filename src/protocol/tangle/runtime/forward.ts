import http, { type IncomingHttpHeaders, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { hopByHop } from '../../../base/hopByHop.ts';
import { answerOf } from '../../../base/httpAnswer.ts';
import type { Sandboxes } from '../../../host/sandboxes/sandboxes.ts';
import { HttpError } from '../http/httpError.ts';
import type { Call } from '../http/route.ts';

/** Of one connection only, or of this server only. */
const NOT_SENT_ON = new Set([
  ...hopByHop,
  'expect',
  'authorization',
  'host',
  // Sandboxes share this server's name: what one sets, another would be sent.
  'cookie',
  'set-cookie',
]);

export interface Inside {
  readonly id: string;
  readonly port: number;
  readonly path: string;
  readonly token?: string;
  /** In the place of the call's own, which has been read. */
  readonly body?: Buffer | undefined;
}

/** Sends the call on to a port inside, as it comes, and its answer back, as that comes. Throws 502 where nobody answers. */
export async function forward(sandboxes: Sandboxes, call: Call, to: Inside): Promise<undefined> {
  const { request, response, signal } = call;
  const socket = await sandboxes.dial(to.id, to.port, signal).catch((error: unknown) => {
    // The system's: what is inside is about to start again.
    throw error instanceof Error && 'errno' in error ? unanswered(to.id, error) : error;
  });
  // One connection for one call: a kept one may be dead, and a command must not be sent twice to find out.
  const outgoing = http.request({
    createConnection: () => socket as never,
    method: call.method,
    path: to.path,
    headers: {
      ...sentOn(request.headers),
      host: `127.0.0.1:${to.port}`,
      ...(to.token === undefined ? {} : { authorization: `Bearer ${to.token}` }),
      ...lengthOf(request),
      // Closed by us: who closes first with half of a body unread takes his answer back.
      connection: 'keep-alive',
    },
    signal,
  });
  try {
    const answered = answerOf(outgoing);
    // Not a pipeline: an answer that comes before the body is through must not cost the client's connection.
    if (to.body === undefined) request.pipe(outgoing);
    else outgoing.end(to.body);
    const answer = await answered;
    response.writeHead(answer.statusCode ?? 502, {
      ...sentOn(answer.headers),
      // A page from inside must not act in this server's name.
      'content-security-policy': 'sandbox allow-scripts allow-forms',
      'x-content-type-options': 'nosniff',
    });
    response.flushHeaders();
    await pipeline(answer, response);
  } catch (error) {
    if (response.headersSent || signal.aborted) {
      response.destroy();
      return undefined;
    }
    throw unanswered(to.id, error);
  } finally {
    destroy(socket, outgoing);
  }
  return undefined;
}

function destroy(socket: Duplex, outgoing: http.ClientRequest): void {
  outgoing.destroy();
  socket.destroy();
}

export function sentOn(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !NOT_SENT_ON.has(name)));
}

/** Whether there is a body, as the client said it: DELETE and GET have one too. */
function lengthOf({ headers }: IncomingMessage): OutgoingHttpHeaders {
  return headers['transfer-encoding'] === undefined ? {} : { 'transfer-encoding': 'chunked' };
}

export const unanswered = (id: string, error: unknown): HttpError =>
  new HttpError(
    502,
    'SANDBOX_UNREACHABLE',
    `sandbox ${id} does not answer (${(error as NodeJS.ErrnoException).code ?? (error as Error).message})`,
  );
