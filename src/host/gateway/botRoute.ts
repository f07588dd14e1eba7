import type { IncomingMessage, ServerResponse } from 'node:http';
import { QueryError, type QueryOutcome } from '../../bot/answers/queryError.ts';
import { readBytes } from '../../bot/answers/readBody.ts';
import { type Asking, askBot } from './askBot.ts';
import type { BotPath } from './botPath.ts';
import { forwardedHeaders, isStream, sendOn } from './forward.ts';

/** Until the bot's server has begun to answer, milliseconds; it has limits of its own below this. */
const ANSWER_MS = 300_000;

/** `GET|POST /bots/<id>/<path>`: answered as the bot's own server does. */
export async function botRoute(
  asking: Asking,
  { bot, target }: BotPath,
  request: IncomingMessage,
  response: ServerResponse,
  onPlace: (place: 'bot' | 'worker') => void,
): Promise<QueryOutcome> {
  const { method } = request;
  if (method !== 'GET' && method !== 'POST') {
    throw new QueryError(405, 'invalid', `a query is a GET or a POST, not ${method}`, { allow: 'GET, POST' });
  }
  const body = method === 'POST' ? await readBytes(request) : undefined;
  const gone = new AbortController();
  const abandon = () => gone.abort(new QueryError(499, 'abandoned', 'the client has gone'));
  const late = setTimeout(
    () => gone.abort(new QueryError(504, 'timeout', `${bot} did not answer within ${ANSWER_MS} ms`)),
    ANSWER_MS,
  );
  response.once('close', abandon);
  try {
    const exchange = { method, target, headers: forwardedHeaders(request), body } as const;
    return await askBot(asking, bot, exchange, gone.signal, onPlace, async (answer, leave) => {
      // A stream may go on for as long as both sides like.
      clearTimeout(late);
      if (isStream(answer)) leave();
      return await sendOn(answer, response, warning(asking), gone.signal);
    });
  } finally {
    clearTimeout(late);
    response.off('close', abandon);
  }
}

/** Known bots are served from memory while the source is away. */
function warning({ api }: Asking): Record<string, string> {
  return api.status().source.answers ? {} : { warning: '199 - "the source of bots does not answer"' };
}
