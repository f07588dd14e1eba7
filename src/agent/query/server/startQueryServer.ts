import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import type { Clock } from '../../../base/clock.ts';
import type { Logger } from '../../../base/log.ts';
import { createLimitedServer } from '../../../bot/answers/createLimitedServer.ts';
import { parseTarget } from '../../../bot/answers/parameters.ts';
import { respondError } from '../../../bot/answers/respond.ts';
import { tokenCheck } from '../../../bot/answers/tokenCheck.ts';
import type { QueryConfig } from '../../../bot/config/config.ts';
import type { EventSink } from '../../../bot/events/event.ts';
import type { EventBuffer } from '../../../bot/events/eventBuffer.ts';
import { PerQuery } from '../once/perQuery.ts';
import type { ProgramLaunch } from '../program/programLaunch.ts';
import { QueryProgram } from '../program/queryProgram.ts';
import { type Handler, handleQuery } from './handleQuery.ts';
import type { ProcessIds, QueryMetrics } from './metrics.ts';
import type { Info } from './ownRoutes.ts';
import { AGENT_PATH, type ServedAgent } from './servedAgent.ts';

/** Where somebody outside has the state published at once; it asks for a token of its own. */
const PUBLISH_PATH = '/_runtime/publish';

export interface QueryServerOptions {
  readonly config: QueryConfig;
  /** Answers `PUBLISH_PATH`; undefined: there is none. */
  readonly publish?: Handler | undefined;
  /** Where the bot is one. */
  readonly agent?: ServedAgent | undefined;
  /** Resolves when the code is there and the program may be started; asked again for every start. Undefined: there is none. */
  readonly launch: (() => Promise<ProgramLaunch>) | undefined;
  readonly events: EventBuffer;
  readonly metrics: QueryMetrics;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onEvent: EventSink;
  readonly info: () => Info;
  /** Whether the bot runs, as far as anyone here knows. */
  readonly botRuns: () => boolean;
  /** Whose memory the metrics tell. */
  readonly processes: () => ProcessIds | Promise<ProcessIds>;
  /** `/query`. */
  readonly resultDir: string;
  /** Where the program's output goes; undefined: our own stderr. */
  readonly output?: Writable;
  /** Gets the port, or waits for it. */
  readonly listen: (server: Server, port: number) => Promise<number>;
  readonly onQuery?: () => void;
  /** The pid of the program that runs, for good or for one query; undefined when it has ended. */
  readonly onProgram?: (pid: number | undefined) => void;
}

export interface QueryServer {
  readonly port: number;
  /** Ends the program and starts it again. The reason continues "query program …". */
  restartProgram(reason: string): void;
  /** Ends the program, the event streams and every connection. */
  close(): Promise<void>;
}

/** Serves queries and the runtime's own paths. Throws what `listen` throws. */
export async function startQueryServer(options: QueryServerOptions): Promise<QueryServer> {
  const { config, launch } = options;
  const asked = launch && askProgram(options, launch);
  const closing = new AbortController();
  const server = createLimitedServer(config.timeoutMs);
  const handler = route(options, asked, closing.signal);
  server.on('request', handler);
  // Whatever a client expects that is not `100-continue`, it gets its answer.
  server.on('checkExpectation', handler);
  const port = await options.listen(server, config.port);
  const running = asked?.program.run();
  return {
    port,
    restartProgram: (reason) => asked?.program.restart(reason),
    close: async () => {
      await options.agent?.close();
      closing.abort();
      asked?.program.stop();
      await Promise.all([running, asked?.perQuery.stop(), closeServer(server)]);
    },
  };
}

interface Asked {
  readonly program: QueryProgram;
  readonly perQuery: PerQuery;
  readonly queries: Handler;
}

/** The query program, or one process a query where it does not listen. */
function askProgram(options: QueryServerOptions, launch: () => Promise<ProgramLaunch>): Asked {
  const { config, metrics, clock, log, onEvent, resultDir, output, onProgram } = options;
  const program = new QueryProgram({
    launch,
    concurrency: config.concurrency,
    clock,
    log,
    ...(output && { output }),
    onStart: (pid) => onProgram?.(pid),
    onRestart: (reason, pauseMs) => {
      metrics.restarted();
      log.warn(`query program ${reason}; it is started again`, { pauseMs });
      onEvent('query.restarted', { reason, pauseMs });
    },
  });
  const perQuery = new PerQuery({
    launch,
    resultDir,
    ...(output && { output }),
    ...(onProgram && { onProgram }),
  });
  return { program, perQuery, queries: handleQuery({ ...options, program, perQuery }) };
}

function route(options: QueryServerOptions, asked: Asked | undefined, closing: AbortSignal): Handler {
  const { agent } = options;
  const isAllowed = tokenCheck(options.config.token);
  const notReady = async (waitMs: number) => {
    const soon = AbortSignal.any([closing, AbortSignal.timeout(waitMs)]);
    if (waitMs > 0) await asked?.program.started(soon);
    return agent?.notReady() ?? whyNotReady(options.botRuns(), asked?.program);
  };
  let own: Promise<(request: IncomingMessage, response: ServerResponse) => unknown> | undefined;

  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    // A client that goes away while it sends or reads is not an error of the server.
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    const path = parseTarget(request.url ?? '')?.path;
    if (agent && path !== undefined && AGENT_PATH.test(path)) return agent.answer(request, response);
    if (options.publish && path === PUBLISH_PATH) return options.publish(request, response);
    if (path !== '/_runtime/healthz' && !isAllowed(request.headers.authorization)) {
      options.metrics.query('unauthorized');
      respondError(response, 401, 'a bearer token is required', { 'www-authenticate': 'Bearer' });
      return;
    }
    if (path === undefined || !/^\/_runtime(\/|$)/.test(path)) {
      if (asked) return asked.queries(request, response);
      respondError(response, 404, 'this bot answers no queries: it has no QUERY_ENTRYPOINT');
      return;
    }
    own ??= import('./ownRoutes.ts').then(({ ownRoutes }) => ownRoutes({ ...options, notReady, closing }));
    request.url = path;
    // Hono makes a URL of it, which not every client's is fit for.
    request.headers.host = 'localhost';
    await (await own)(request, response);
  };
}

function whyNotReady(botRuns: boolean, program: QueryProgram | undefined): string | undefined {
  if (!botRuns) return 'the bot does not run';
  if (!program) return undefined;
  const { state } = program;
  if (state === 'listening' || state === 'per-query') return undefined;
  return state === 'starting' ? 'the query program does not listen yet' : `the query program is ${state}`;
}

async function closeServer(server: Server): Promise<void> {
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
}
