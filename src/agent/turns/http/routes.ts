import type { IncomingMessage, ServerResponse } from 'node:http';
import { parseTarget } from '../../../bot/answers/parameters.ts';
import { QueryError } from '../../../bot/answers/queryError.ts';
import { readBody } from '../../../bot/answers/readBody.ts';
import { respond } from '../../../bot/answers/respond.ts';
import { isObject } from '../../../bot/config/parsers.ts';
import { parseLastEventId } from '../../../bot/events/eventStream.ts';
import type { AgentServer } from '../openAgent.ts';
import { Refusal } from '../refusal.ts';
import { hasEnded, showTurn, type TurnError, type TurnRecord } from '../turn.ts';
import { readMessage, readRestart } from './readMessage.ts';
import { streamTurn } from './streamTurn.ts';

/** Where the protocol lives. */
const PREFIX = '/_runtime/agent';

type Request = IncomingMessage;
type Response = ServerResponse;

interface Exchange {
  readonly agent: AgentServer;
  readonly request: Request;
  readonly response: Response;
  readonly query: URLSearchParams;
  /** Of a message or a restart, where the path names one. */
  readonly id: string;
  /** Aborted when the client or the server is gone. */
  readonly gone: AbortSignal;
}

type Route = (exchange: Exchange) => void | Promise<void>;

/** By pattern and method. A path's `ID` is any one segment. */
const routes: readonly (readonly [RegExp, Readonly<Record<string, Route>>])[] = [
  [/^$/, { GET: ({ agent, response }) => json(response, 200, agent.describe()) }],
  [/^\/health$/, { GET: tellHealth }],
  [/^\/messages$/, { POST: takeMessage }],
  [/^\/messages\/([^/]+)$/, { GET: (exchange) => json(exchange.response, 200, showTurn(find(exchange))) }],
  [/^\/messages\/([^/]+)\/events$/, { GET: resume }],
  [/^\/messages\/([^/]+)\/cancel$/, { POST: cancel }],
  [/^\/usage$/, { GET: tellUsage }],
  [/^\/restart$/, { POST: restart }],
  [/^\/restart\/([^/]+)$/, { GET: tellRestart }],
];

/** Answers everything under `/_runtime/agent`. `path` is the request's, `closing` aborted when the server closes. */
export async function answerAgent(
  agent: AgentServer,
  request: Request,
  response: Response,
  closing: AbortSignal,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  try {
    // As it was sent: what `..` or `%2e` would lead to is no path of ours.
    const target = parseTarget(request.url ?? '') ?? { path: '', queryString: '' };
    const path = target.path.slice(PREFIX.length).replace(/\/$/, '');
    if (path !== '/health') agent.checkAccess(request);
    const [pattern, methods] = routes.find(([found]) => found.test(path)) ?? [];
    if (!pattern || !methods) throw new Refusal(404, 'not_found', `there is no ${target.path}`);
    const method = request.method === 'HEAD' ? 'GET' : (request.method ?? '');
    const route = Object.hasOwn(methods, method) ? methods[method] : undefined;
    if (!route) {
      const allow = Object.keys(methods).flatMap((name) => (name === 'GET' ? ['GET', 'HEAD'] : [name]));
      throw new Refusal(405, 'method_not_allowed', `${target.path} takes ${allow.join(' and ')}`, {
        allow: allow.join(', '),
      });
    }
    const id = pattern.exec(path)?.[1] ?? '';
    const both = AbortSignal.any([gone.signal, closing]);
    await route({ agent, request, response, query: new URLSearchParams(target.queryString), id, gone: both });
  } catch (error) {
    const refusal = asRefusal(error, agent);
    fail(response, refusal.status, refusal.message, refusal.code, {}, refusal.headers);
  }
}

function tellHealth({ agent, request, response }: Exchange): void {
  const health = agent.health();
  const status = health.ready ? 200 : 503;
  const headers: Record<string, string> = health.ready ? {} : { 'retry-after': '1' };
  try {
    agent.checkAccess(request);
    json(response, status, health, headers);
  } catch {
    json(response, status, { status: health.status, ready: health.ready }, headers);
  }
}

async function takeMessage(exchange: Exchange): Promise<void> {
  const { agent, request, response, gone } = exchange;
  const { stream, ...asked } = readMessage(
    await readBody(request),
    header(request, 'idempotency-key'),
    agent.attachments(),
  );
  const { record, isReplayed } = agent.turns.submit(asked, agent.refusal);
  const headers: Record<string, string> = isReplayed ? { 'idempotency-replayed': 'true' } : {};
  if (stream ?? /\btext\/event-stream\b/i.test(request.headers.accept ?? '')) {
    return streamTurn(response, record, {
      ...agent,
      headers,
      lastId: 0,
      closing: agent.closing,
      readers: agent.turns.readers,
    });
  }
  // It may take as long as a turn may.
  response.setTimeout(0);
  await agent.turns.whenEnded(record, gone);
  if (!hasEnded(record)) {
    return fail(
      response,
      503,
      'the server of turns ends',
      'stopping',
      { id: record.id },
      { 'retry-after': '1' },
    );
  }
  if (record.error) return failTurn(response, record, record.error, headers);
  json(response, 200, showTurn(record), headers);
}

function failTurn(
  response: Response,
  { id, conversation }: TurnRecord,
  error: TurnError,
  headers: Record<string, string>,
) {
  fail(
    response,
    error.code === 'timeout' ? 504 : 502,
    error.message,
    error.code,
    { id, conversation },
    headers,
  );
}

async function resume(exchange: Exchange): Promise<void> {
  const { agent, request, response } = exchange;
  const lastId = parseLastEventId(header(request, 'last-event-id'));
  const { readers } = agent.turns;
  await streamTurn(response, find(exchange), {
    ...agent,
    readers,
    headers: {},
    lastId,
    closing: agent.closing,
  });
}

async function cancel(exchange: Exchange): Promise<void> {
  const { agent, request, response } = exchange;
  noFields(await readBody(request));
  const record = find(exchange);
  if (hasEnded(record)) return json(response, 200, showTurn(record));
  agent.turns.cancel(record);
  json(response, 202, showTurn(record));
}

async function tellUsage({ agent, query, response }: Exchange): Promise<void> {
  for (const name of query.keys()) {
    if (!['since', 'until', 'conversation'].includes(name)) {
      throw new Refusal(400, 'bad_request', `${name}: there is no such parameter`);
    }
  }
  const totals = await agent.ledger.totals({
    since: readTime(query, 'since'),
    until: readTime(query, 'until'),
    conversation: query.get('conversation') ?? undefined,
  });
  json(response, 200, totals);
}

async function restart({ agent, request, response }: Exchange): Promise<void> {
  const asked = readRestart(await readBody(request), header(request, 'idempotency-key'));
  const { restart, isReplayed } = agent.restarts.begin(asked, agent.restartRefusal);
  json(response, 202, restart, isReplayed ? { 'idempotency-replayed': 'true' } : {});
}

function tellRestart({ agent, id, response }: Exchange): void {
  const found = agent.restarts.find(id);
  if (!found) throw new Refusal(404, 'not_found', `there is no restart ${id}`);
  json(response, 200, found);
}

function find({ agent, id }: Exchange): TurnRecord {
  const record = agent.turns.book.turn(id);
  if (!record)
    throw new Refusal(404, 'not_found', `there is no message ${id}; the last ones are kept for 24 hours`);
  return record;
}

function noFields(body: unknown): void {
  const [name] = isObject(body) ? Object.keys(body) : [];
  if (name !== undefined) throw new Refusal(400, 'bad_request', `${name}: there is no such field`);
}

/** RFC 3339, or milliseconds since the epoch. A `+` before its zone that was not escaped has come as a space. */
function readTime(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name)?.replace(/ (?=\d\d:\d\d$)/, '+') ?? '';
  if (text === '') return undefined;
  const at = /^\d{12,15}$/.test(text)
    ? Number(text)
    : /^\d{4}-\d\d-\d\d/.test(text)
      ? Date.parse(text)
      : Number.NaN;
  if (Number.isNaN(at)) throw new Refusal(400, 'bad_request', `${name}: is not a time (RFC 3339)`);
  return at;
}

function header(request: Request, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function json(
  response: Response,
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  respond(response, status, Buffer.from(JSON.stringify(value)), headers);
}

function fail(
  response: Response,
  status: number,
  error: string,
  code: string,
  more: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>>,
): void {
  json(response, status, { status: 'error', error, code, ...more }, headers);
}

function asRefusal(error: unknown, agent: AgentServer): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof QueryError) {
    return new Refusal(error.status, error.status === 413 ? 'too_large' : 'bad_request', error.message);
  }
  agent.log.error('a request to the agent failed in the query server', { error: String(error) });
  return new Refusal(500, 'internal', 'the query server failed');
}
