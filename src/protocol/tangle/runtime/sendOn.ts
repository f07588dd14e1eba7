import type { ClientRequest, IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { hopByHop } from '../../../base/hopByHop.ts';
import { answerOf } from '../../../base/httpAnswer.ts';
import { askForWebSocket, joinUpgraded } from '../../../base/httpUpgrade.ts';
import { FOR_HEADER, HOP_HEADER, ORIGIN_HEADER } from '../access/onBehalf.ts';
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
  // A browser's way to give a key.
  'sec-websocket-protocol',
  // Of a server that asks for somebody: with its key among them.
  FOR_HEADER,
  ORIGIN_HEADER,
  HOP_HEADER,
]);

export interface SendOn {
  /** Who is asked, for an error. */
  readonly name: string;
  /** In the place of the call's own, which has been read. */
  readonly body?: Buffer | undefined;
  /** More of the answer's head. */
  readonly headers?: OutgoingHttpHeaders;
  /** Aborted: so are the connections of a WebSocket. `outgoing` is its own. */
  readonly over?: AbortSignal | undefined;
}

/** The call's body to `outgoing` as it comes, and the answer to the client as that comes. Throws 502 where nobody answers. */
export async function sendOn(
  { request, response, upgrade, signal }: Call,
  outgoing: ClientRequest,
  { name, body, headers, over }: SendOn,
): Promise<undefined> {
  try {
    const answered = answerOf(outgoing);
    // Not a pipeline: an answer that comes before the body is through must not cost the client's connection.
    if (upgrade !== undefined) outgoing.end();
    else if (body === undefined) request.pipe(outgoing);
    else outgoing.end(body);
    const answer = await answered;
    if (upgrade !== undefined && answer.statusCode === 101) {
      const end = () => upgrade.socket.destroy();
      const either = over === undefined ? signal : AbortSignal.any([signal, over]);
      either.addEventListener('abort', end, { once: true });
      if (either.aborted) end();
      const protocol = answer.headers['sec-websocket-protocol'] ?? ownProtocol(request);
      await joinUpgraded(response, upgrade, answer, protocol);
      either.removeEventListener('abort', end);
      return undefined;
    }
    response.writeHead(answer.statusCode ?? 502, { ...sentOn(answer.headers), ...headers });
    response.flushHeaders();
    await pipeline(answer, response);
  } catch (error) {
    if (response.headersSent || signal.aborted) {
      response.destroy();
      return undefined;
    }
    throw unanswered(name, error);
  } finally {
    outgoing.destroy();
  }
  return undefined;
}

export function sentOn(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !NOT_SENT_ON.has(name)));
}

/** The headers of a call that asks for a WebSocket, for whoever is asked next: without the key that may be among its protocols. */
export function upgradeOf({ upgrade, request }: Pick<Call, 'upgrade' | 'request'>): OutgoingHttpHeaders {
  if (upgrade === undefined) return { connection: 'keep-alive' };
  const others = protocolsOf(request).filter((protocol) => !protocol.startsWith(KEY_PROTOCOL));
  return {
    ...askForWebSocket,
    ...(others.length > 0 && { 'sec-websocket-protocol': others.join(', ') }),
  };
}

/** What a client that has given its key so is told that it has got: some end the connection where nothing is said. */
const ownProtocol = (request: IncomingMessage) =>
  protocolsOf(request).find((protocol) => protocol.startsWith(KEY_PROTOCOL));

const protocolsOf = ({ headers }: IncomingMessage) =>
  (headers['sec-websocket-protocol'] ?? '').split(',').flatMap((text) => text.trim() || []);

const KEY_PROTOCOL = 'bearer.';

/** Whether there is a body, as the client said it: DELETE and GET have one too. */
export function lengthOf({ headers }: IncomingMessage): OutgoingHttpHeaders {
  return headers['transfer-encoding'] === undefined ? {} : { 'transfer-encoding': 'chunked' };
}

export const unanswered = (name: string, error: unknown): HttpError =>
  new HttpError(
    502,
    'SANDBOX_UNREACHABLE',
    `${name} does not answer (${(error as NodeJS.ErrnoException).code ?? (error as Error).message})`,
  );
