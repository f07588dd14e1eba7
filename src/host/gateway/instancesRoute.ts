import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { Clock } from '../../base/clock.ts';
import type { Secret } from '../../base/secret.ts';
import { parseTarget } from '../../bot/answers/parameters.ts';
import { QueryError, type QueryOutcome } from '../../bot/answers/queryError.ts';
import { readBytes } from '../../bot/answers/readBody.ts';
import { respond } from '../../bot/answers/respond.ts';
import { inParallel } from '../../bot/state/read/inParallel.ts';
import type { BotView, HostApi, QueryAddress } from '../api/hostApi.ts';
import { makeAgentToken } from '../bots/agentToken.ts';
import { isAgent } from '../bots/isAgent.ts';
import type { Authorise } from './authorise.ts';
import { bodyOf } from './exchange.ts';
import { forwardedHeaders, headOf } from './forward.ts';
import { sendStream } from './send.ts';

/** The agents of a host: docs/agents.md. */
export const INSTANCES = /^\/v1\/instances(\/|\?|$)/;

/** What a client says of a message, besides what it says of a query. */
const HEADERS = ['idempotency-key'] as const;
/** How long an agent has to say how it stands, where all are listed, milliseconds; and how many are asked at once. */
const HEALTH_MS = 2000;
const AT_ONCE = 32;

export interface InstancesOptions {
  readonly api: HostApi;
  readonly authorise: Authorise;
  /** Signs the tokens of agents. */
  readonly tokenKey: Secret;
  readonly clock: Clock;
}

/** What the host itself answers, in the words of the protocol. */
class Refused extends QueryError {
  readonly code: string;
  constructor(
    status: number,
    outcome: QueryOutcome,
    code: string,
    message: string,
    headers?: Readonly<Record<string, string>>,
  ) {
    super(status, outcome, message, headers);
    this.code = code;
  }
}

/** `GET /v1/instances`, and everything at `/v1/instances/<id>`, which is that agent's `/_runtime/agent`. */
export async function instancesRoute(
  options: InstancesOptions,
  request: IncomingMessage,
  response: ServerResponse,
  onPlace: (place: 'bot') => void,
): Promise<QueryOutcome> {
  try {
    const target = parseTarget(request.url ?? '');
    const [, id, rest = ''] =
      /^\/v1\/instances(?:\/([A-Za-z0-9._-]{1,128})(\/.*)?)?\/?$/.exec(target?.path ?? '') ?? [];
    if (id === undefined) return await list(options, request, response, target?.path ?? '');
    onPlace('bot');
    const query = target?.queryString ? `?${target.queryString}` : '';
    return await sendOn(options, id, `/_runtime/agent${rest}${query}`, request, response);
  } catch (error) {
    if (!(error instanceof QueryError) || response.headersSent) throw error;
    const code = error instanceof Refused ? error.code : error.status === 413 ? 'too_large' : 'bad_request';
    const body = { status: 'error', error: error.message, code };
    respond(response, error.status, Buffer.from(JSON.stringify(body)), error.headers);
    return error.outcome;
  }
}

/** Those that the token opens. */
async function list(
  { api, authorise, tokenKey }: InstancesOptions,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
): Promise<QueryOutcome> {
  if (!/^\/v1\/instances\/?$/.test(path))
    throw new Refused(404, 'invalid', 'not_found', `there is no ${path}`);
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    throw new Refused(405, 'invalid', 'method_not_allowed', '/v1/instances takes a GET', {
      allow: 'GET, HEAD',
    });
  }
  const agents = api.bots().filter(({ spec }) => spec !== undefined && isAgent(spec));
  const { authorization } = request.headers;
  const mine = agents.filter(({ name }) => authorise(authorization, name));
  if (mine.length === 0 && !authorise(authorization, '')) throw unauthorized();
  const instances: object[] = [];
  await inParallel(AT_ONCE, mine.entries(), new AbortController().signal, async ([at, view]) => {
    instances[at] = {
      id: view.name,
      kind: view.spec?.runtime,
      status: await statusOf(view, api.queryAddress(view.name), makeAgentToken(tokenKey, view.name)),
    };
  });
  respond(response, 200, Buffer.from(JSON.stringify({ instances })));
  return 'ok';
}

async function statusOf(view: BotView, address: QueryAddress | undefined, token: Secret): Promise<string> {
  const signal = AbortSignal.timeout(HEALTH_MS);
  try {
    if (address === undefined) return view.state === 'starting' ? 'starting' : 'failed';
    const asked = { method: 'GET', path: '/_runtime/agent/health', headers: {}, body: undefined };
    const answer = await ask(address, asked, token, signal);
    const { status } = JSON.parse((await bodyOf(answer, signal)).toString()) as { status?: unknown };
    return typeof status === 'string' && status !== 'error' ? status : 'failed';
  } catch {
    // A container that runs and does not answer yet is on its way.
    return view.state === 'running' || view.state === 'starting' ? 'starting' : 'failed';
  }
}

async function sendOn(
  { api, authorise, tokenKey, clock }: InstancesOptions,
  id: string,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<QueryOutcome> {
  if (!authorise(request.headers.authorization, id)) throw unauthorized();
  const spec = api.bot(id)?.spec;
  if (spec === undefined && api.status().source.listedAt === undefined) {
    throw new Refused(503, 'unavailable', 'starting', 'the source of bots has not answered yet', AGAIN);
  }
  if (spec === undefined || !isAgent(spec))
    throw new Refused(404, 'invalid', 'not_found', `there is no agent ${id}`);
  const address = api.queryAddress(id);
  if (address === undefined) {
    const code = api.bot(id)?.state === 'starting' ? 'starting' : 'failed';
    throw new Refused(503, 'unavailable', code, `${id} does not run`, AGAIN);
  }
  const body = request.method === 'GET' || request.method === 'HEAD' ? undefined : await readBytes(request);
  const gone = new AbortController();
  response.once('close', () => gone.abort(new QueryError(499, 'abandoned', 'the client has gone')));
  // A turn takes as long as its agent allows.
  response.setTimeout(0);
  const exchange = {
    method: request.method ?? 'GET',
    path,
    headers: forwardedHeaders(request, HEADERS),
    body,
  };
  const answer = await ask(address, exchange, makeAgentToken(tokenKey, id), gone.signal);
  await sendStream(
    { response, clock, signal: gone.signal },
    headOf(answer, {}),
    answer as AsyncIterable<Buffer>,
  );
  return (answer.statusCode ?? 502) < 400 ? 'ok' : 'error';
}

interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
}

/** On a connection of its own: one that was kept may be dead, and a message must not be sent twice to find out. */
function ask(
  { host, port }: QueryAddress,
  { method, path, headers, body }: Exchange,
  token: Secret,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': String(body.length) };
    const own = { ...headers, ...length, authorization: `Bearer ${token.reveal()}` };
    const request = http.request({ agent: false, host, port, method, path, headers: own, signal });
    request.once('response', resolve);
    request.once('error', (error) => {
      if (signal.aborted) return reject(signal.reason);
      const why = (error as NodeJS.ErrnoException).code ?? error.message;
      reject(new Refused(502, 'unavailable', 'agent_unreachable', `the agent does not answer (${why})`));
    });
    request.end(body);
  });
}

const AGAIN = { 'retry-after': '1' };

function unauthorized(): Refused {
  return new Refused(401, 'unauthorized', 'unauthorized', 'a bearer token is required', {
    'www-authenticate': 'Bearer',
  });
}
