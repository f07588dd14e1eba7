import http, { type OutgoingHttpHeaders } from 'node:http';
import type { Sandboxes } from '../../../host/sandboxes/sandboxes.ts';
import type { Call } from '../http/route.ts';
import { lengthOf, sendOn, sentOn, unanswered, upgradeOf } from './sendOn.ts';

export interface Inside {
  readonly id: string;
  readonly port: number;
  readonly path: string;
  readonly token?: string;
  /** In the place of the call's own, which has been read. */
  readonly body?: Buffer | undefined;
  /** More of the answer's head. */
  readonly headers?: OutgoingHttpHeaders;
  /** Aborted: the call goes on no more. Its reason is the answer. */
  readonly over?: AbortSignal;
}

/** Sends the call on to a port inside, as it comes, and its answer back, as that comes. Throws 502 where nobody answers. */
export async function forward(sandboxes: Sandboxes, call: Call, to: Inside): Promise<undefined> {
  const { request, signal } = call;
  const socket = await sandboxes.dial(to.id, to.port, signal).catch((error: unknown) => {
    // The system's: what is inside is about to start again.
    throw error instanceof Error && 'errno' in error ? unanswered(`sandbox ${to.id}`, error) : error;
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
      ...upgradeOf(call),
    },
    signal: to.over === undefined ? signal : AbortSignal.any([signal, to.over]),
  });
  try {
    return await sendOn(call, outgoing, {
      name: `sandbox ${to.id}`,
      body: to.body,
      over: to.over,
      headers: {
        // A page from inside must not act in this server's name.
        'content-security-policy': 'sandbox allow-scripts allow-forms',
        'x-content-type-options': 'nosniff',
        ...to.headers,
      },
    });
  } catch (error) {
    throw to.over?.aborted ? to.over.reason : error;
  } finally {
    socket.destroy();
  }
}
