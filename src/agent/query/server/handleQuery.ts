import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '../../../base/log.ts';
import { parseTarget } from '../../../bot/answers/parameters.ts';
import { QueryError, type QueryOutcome } from '../../../bot/answers/queryError.ts';
import { readBody } from '../../../bot/answers/readBody.ts';
import { respond, respondError } from '../../../bot/answers/respond.ts';
import type { QueryConfig } from '../../../bot/config/config.ts';
import type { PerQuery } from '../once/perQuery.ts';
import type { QueryProgram } from '../program/queryProgram.ts';
import { answerQuery } from './answerQuery.ts';
import type { QueryMetrics } from './metrics.ts';

export interface HandleQueryOptions {
  readonly config: QueryConfig;
  readonly program: QueryProgram;
  readonly perQuery: PerQuery;
  readonly metrics: QueryMetrics;
  readonly onQuery?: () => void;
  readonly log: Logger;
}

export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** Answers whatever is not one of the runtime's own paths. */
export function handleQuery(options: HandleQueryOptions): Handler {
  const { config, program, perQuery, metrics, log, onQuery } = options;
  let inFlight = 0;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<QueryOutcome> {
    const target = parseQueryTarget(request);
    const hasBody = request.headers['content-length'] !== undefined || 'transfer-encoding' in request.headers;
    const body = hasBody ? await readBody(request) : undefined;
    // Only now: half-sent requests do not count.
    if (inFlight >= config.concurrency) {
      throw new QueryError(503, 'busy', 'too many queries at once', { 'retry-after': '1' });
    }
    inFlight += 1;
    const ended = new AbortController();
    const timer = setTimeout(() => ended.abort(timedOut(config.timeoutMs)), config.timeoutMs);
    const abandon = () => ended.abort(new QueryError(499, 'abandoned', 'the client has gone'));
    response.once('close', abandon);
    try {
      const {
        status,
        body: bytes,
        outcome,
      } = await answerQuery(program, perQuery, {
        target,
        body,
        signal: ended.signal,
      });
      response.off('close', abandon);
      respond(response, status, bytes);
      return outcome;
    } finally {
      clearTimeout(timer);
      inFlight -= 1;
    }
  }

  return async (request, response) => {
    const startedAt = performance.now();
    let outcome: QueryOutcome;
    try {
      outcome = await answer(request, response);
    } catch (error) {
      const failure = asQueryError(error, log);
      outcome = failure.outcome;
      respondError(response, failure.status, failure.message, failure.headers);
    }
    metrics.query(outcome, (performance.now() - startedAt) / 1000);
    onQuery?.();
  };
}

function parseQueryTarget({ method, url = '' }: IncomingMessage) {
  if (method !== 'GET' && method !== 'POST') {
    throw new QueryError(405, 'invalid', `a query is a GET or a POST, not ${method}`, { allow: 'GET, POST' });
  }
  const target = parseTarget(url);
  if (target === undefined) throw new QueryError(400, 'invalid', 'the request names no path');
  return target;
}

function timedOut(ms: number): QueryError {
  return new QueryError(504, 'timeout', `the query program did not answer within ${ms} ms`);
}

function asQueryError(error: unknown, log: Logger): QueryError {
  if (error instanceof QueryError) return error;
  log.error('a query failed in the query server', { error: String(error) });
  return new QueryError(500, 'error', 'the query server failed');
}
