import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../base/clock.ts';
import { excerpt, parseAnswer } from '../../bot/answers/answer.ts';
import { QueryError, type QueryOutcome } from '../../bot/answers/queryError.ts';
import { readBody } from '../../bot/answers/readBody.ts';
import { respond } from '../../bot/answers/respond.ts';
import { type Asking, askBot } from './askBot.ts';
import type { Authorise } from './authorise.ts';
import { bodyOf } from './exchange.ts';
import { sendBody } from './send.ts';
import { parseThe0Query, type The0Query, the0Answer, the0Error, the0Status } from './the0Query.ts';
import type { Held } from './unsent.ts';
import { within } from './within.ts';

const HEADERS = { 'content-type': 'application/json', 'cache-control': 'no-store' };

export interface The0RouteOptions {
  readonly asking: Asking;
  readonly authorise: Authorise;
  readonly clock: Clock;
}

/** `POST /query`: the0's request, the0's answer. Every outcome, refusals too, has the0's shape. */
export async function the0Route(
  { asking, authorise, clock }: The0RouteOptions,
  request: IncomingMessage,
  response: ServerResponse,
  onPlace: (place: 'bot' | 'worker') => void,
): Promise<QueryOutcome> {
  const startedAt = performance.now();
  const timing = () => ({ startedAt, endedAt: performance.now(), now: clock.now() });
  try {
    if (request.method !== 'POST') {
      throw new QueryError(405, 'invalid', 'method not allowed', { allow: 'POST' });
    }
    const query = await parsed(request);
    if (!authorise(request.headers.authorization, query.bot)) {
      throw new QueryError(401, 'unauthorized', 'a bearer token is required', {
        'www-authenticate': 'Bearer',
      });
    }
    const held = asking.unsent.open(query.bot);
    try {
      return await within(response, { bot: query.bot, ms: query.timeoutMs }, async (signal, answered) => {
        const { status, body } = await asked(asking, query, signal, onPlace, held);
        answered();
        const answer = the0Answer(body, timing());
        if (answer === undefined) {
          const what = `${excerpt(body)} (status ${status}), which is not an answer object`;
          throw new QueryError(502, 'error', `the bot answered ${what}`);
        }
        const ok = parseAnswer(body)?.status === 'ok';
        await sendBody(
          { response, clock, signal },
          { status: ok ? 200 : 500, headers: HEADERS },
          answer,
          held,
        );
        return ok ? 'ok' : 'error';
      });
    } finally {
      held.close();
    }
  } catch (error) {
    if (!(error instanceof QueryError) || response.headersSent) throw error;
    respond(response, the0Status(error.status), the0Error(error.message, timing()), error.headers);
    return error.outcome;
  }
}

async function parsed(request: IncomingMessage): Promise<The0Query> {
  const body = await readBody(request).catch((error: unknown) => {
    if (!(error instanceof QueryError) || error.status !== 400) throw error;
    throw new QueryError(400, error.outcome, `invalid request body: ${error.message}`);
  });
  return parseThe0Query(body ?? {});
}

async function asked(
  asking: Asking,
  { bot, path, params }: The0Query,
  signal: AbortSignal,
  onPlace: (place: 'bot' | 'worker') => void,
  held: Held,
): Promise<{ readonly status: number; readonly body: Buffer }> {
  const hasParams = params !== undefined && Object.keys(params).length > 0;
  const exchange = {
    method: 'POST',
    target: path,
    headers: hasParams ? { 'content-type': 'application/json' } : {},
    body: Buffer.from(hasParams ? JSON.stringify(params) : ''),
  } as const;
  return await askBot(asking, bot, exchange, signal, onPlace, async (answer) => ({
    status: answer.statusCode ?? 502,
    body: await bodyOf(answer, signal, held),
  }));
}
