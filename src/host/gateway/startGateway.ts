/**
 * The room of the query gateway: port 9477, queries of all bots of a host.
 *
 * `POST /query` speaks as the0's query server does; `GET|POST /bots/<id>/<path>` is sent on to the bot's own server and answered
 * as that answers, streams included. A realtime bot that runs is asked in place; every other by a container that is made for it
 * and kept for 60 s. `/v1/instances` are the agents among them: what is below one is sent on to its own `/_runtime/agent`
 * (`instancesRoute`). In order: which bot (`botPath`, `the0Query`) → may the client (`authorise`) → is there room (`admission`) →
 * where (`placeOf`, `workers`) → ask (`exchange`) → as it is (`forward`) or wrapped
 * (`the0Route`) → the client takes it at its own pace (`send`, `unsent`), when the bot is done with it.
 */
import { once } from 'node:events';
import { Agent, type IncomingMessage, type ServerResponse } from 'node:http';
import { createLimitedServer } from '../../bot/answers/createLimitedServer.ts';
import { listen } from '../../bot/answers/listen.ts';
import { parseTarget } from '../../bot/answers/parameters.ts';
import { QueryError, type QueryOutcome } from '../../bot/answers/queryError.ts';
import { respond, respondError } from '../../bot/answers/respond.ts';
import { Admission } from './admission.ts';
import type { Asking } from './askBot.ts';
import { authoriser } from './authorise.ts';
import { parseBotPath } from './botPath.ts';
import { botRoute } from './botRoute.ts';
import { type GatewayOptions, usualLimits } from './gatewayOptions.ts';
import { INSTANCES, instancesRoute } from './instancesRoute.ts';
import { gatewayMetrics } from './metrics.ts';
import { the0Route } from './the0Route.ts';
import { Unsent } from './unsent.ts';
import { Endings } from './workers/endings.ts';
import { Pool } from './workers/pool.ts';
import { Workers } from './workers/workers.ts';

export interface Gateway {
  readonly port: number;
  /** Ends every query and every container that was made for one. */
  close(): Promise<void>;
}

/** A client that reads nothing for so much longer than a query may take gives up its connection, milliseconds. */
const LONGEST_QUERY_MS = 300_000;
const IDLE_CONNECTIONS = 256;

/** Throws `unavailable` when the port is taken. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { api, log, token, clock } = options;
  const limits = { ...usualLimits, ...options.limits };
  const admission = new Admission(limits);
  const endings = new Endings(options.engine, log);
  const pool = new Pool({ ...options, ...options.waiting, endings });
  const workers = new Workers({ ...options, pool, endings, most: limits.workers });
  const agent = new Agent({ keepAlive: true, maxFreeSockets: IDLE_CONNECTIONS, scheduling: 'lifo' });
  const unsent = new Unsent({ perBot: limits.unsentPerBot, inAll: limits.unsent }, clock.now);
  const asking: Asking = { api, admission, workers, unsent, clock, agent };
  const authorise = authoriser(token, options.tokenKey);
  const metrics = gatewayMetrics(options.registry, {
    inFlight: () => admission.inFlight,
    workers: () => workers.count,
    waiting: () => pool.count,
  });
  if (token === undefined && options.who !== 'this-machine') {
    log.warn('RUNTIME_QUERY_TOKEN is not set: whoever reaches the gateway may ask every bot');
  }

  type OnPlace = (place: 'bot' | 'worker') => void;
  async function answer(
    request: IncomingMessage,
    response: ServerResponse,
    onPlace: OnPlace,
  ): Promise<QueryOutcome> {
    const { url = '' } = request;
    if (parseTarget(url)?.path === '/query') {
      return await the0Route({ asking, authorise, clock }, request, response, onPlace);
    }
    if (INSTANCES.test(url))
      return await instancesRoute({ ...options, authorise }, request, response, onPlace);
    const path = parseBotPath(url);
    if (path === undefined)
      throw new QueryError(
        404,
        'invalid',
        'a query is POST /query or /bots/<id>/<path>, an agent /v1/instances/<id>',
      );
    if (!authorise(request.headers.authorization, path.bot)) {
      throw new QueryError(401, 'unauthorized', 'a bearer token is required', {
        'www-authenticate': 'Bearer',
      });
    }
    return await botRoute(asking, path, request, response, onPlace);
  }

  const handler = async (request: IncomingMessage, response: ServerResponse) => {
    // A client that goes away while it sends or reads is not an error of ours.
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    const path = parseTarget(request.url ?? '')?.path;
    if (path === '/health') return respond(response, 200, Buffer.from('{"status":"ok"}'));
    if (path === '/metrics') {
      const { registry } = options;
      const text = Buffer.from(await registry.metrics());
      return respond(response, 200, text, { 'content-type': registry.contentType });
    }
    const startedAt = performance.now();
    let place: 'bot' | 'worker' | 'none' = 'none';
    let outcome: QueryOutcome;
    try {
      outcome = await answer(request, response, (found) => {
        place = found;
      });
    } catch (error) {
      const failure = error instanceof QueryError ? error : undefined;
      outcome = failure?.outcome ?? 'error';
      if (!failure && !response.headersSent)
        log.error('a query failed in the gateway', { error: String(error) });
      // What has begun cannot become another answer: it is cut, and the client sees that.
      if (response.headersSent) response.destroy();
      else
        respondError(
          response,
          failure?.status ?? 500,
          failure?.message ?? 'the gateway failed',
          failure?.headers,
        );
    }
    metrics.answered(place, outcome, (performance.now() - startedAt) / 1000);
  };

  const server = createLimitedServer(LONGEST_QUERY_MS);
  server.maxConnections = 2 * limits.inAll;
  // A client that has gone holds a place and perhaps a container: who closes his direction is taken for gone.
  Object.assign(server, { httpAllowHalfOpen: false });
  server.on('request', handler);
  // Whatever a client expects that is not `100-continue`, it gets its answer.
  server.on('checkExpectation', handler);
  const port = await listen(server, options.port, options.who, 'RUNTIME_HOST_QUERY_PORT');
  const closing = new AbortController();
  const sweeping = workers.run(closing.signal);
  return {
    port,
    close: async () => {
      closing.abort();
      server.close();
      server.closeAllConnections();
      agent.destroy();
      await Promise.all([once(server, 'close'), sweeping]);
    },
  };
}
