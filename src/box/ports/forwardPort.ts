import http, { type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { hopByHop } from '../../base/hopByHop.ts';
import { answerOf } from '../../base/httpAnswer.ts';
import { askForWebSocket, joinUpgraded } from '../../base/httpUpgrade.ts';
import { BoxError, invalid } from '../http/boxError.ts';
import type { Exchange } from '../http/exchange.ts';

/** Of this connection only, and our own token, which is nobody's business inside. */
const NOT_SENT_ON = new Set([...hopByHop, 'expect', 'authorization', 'host']);

/** `3000/path` behind `/ports/`: the request goes to whoever listens on that port inside, also where only this machine may. Throws `BoxError` 400 and 502. */
export async function forwardPort({
  request,
  response,
  params,
  query,
  upgrade,
  gone,
}: Exchange): Promise<void> {
  const [, number, path = '/'] = /^(\d{1,5})(\/.*)?$/.exec(params.rest ?? '') ?? [];
  const port = Number(number);
  if (!(port >= 1 && port <= 65_535)) throw invalid('port', 'is no port');
  if (port === (request.socket.address() as AddressInfo).port) throw invalid('port', 'is the box itself');
  const search = query.size > 0 ? `?${(request.url ?? '').split('?').slice(1).join('?')}` : '';
  const outgoing = http.request({
    host: 'localhost',
    port,
    method: request.method,
    path: `${path}${search}`,
    headers: {
      ...sentOn(request.headers),
      ...bodyOf(request),
      ...(upgrade && askForWebSocket),
      host: `localhost:${port}`,
    },
    agent: false,
    signal: gone,
  });
  try {
    const answered = answerOf(outgoing);
    if (upgrade) outgoing.end();
    else request.pipe(outgoing);
    const answer = await answered;
    if (upgrade && answer.statusCode === 101) {
      await joinUpgraded(response, upgrade, answer, answer.headers['sec-websocket-protocol']);
      return;
    }
    response.writeHead(answer.statusCode ?? 502, sentOn(answer.headers));
    response.flushHeaders();
    await pipeline(answer, response);
  } catch (error) {
    if (gone.aborted || response.headersSent) {
      response.destroy();
      return;
    }
    const why = (error as NodeJS.ErrnoException).code ?? 'closed';
    throw new BoxError(502, 'PORT_UNREACHABLE', `nobody answers on port ${port} (${why})`, { port });
  } finally {
    outgoing.destroy();
  }
}

function sentOn(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !NOT_SENT_ON.has(name)));
}

/** Whether there is a body, as the client said it. */
const bodyOf = ({ headers }: IncomingMessage): IncomingHttpHeaders =>
  headers['transfer-encoding'] === undefined ? {} : { 'transfer-encoding': 'chunked' };
