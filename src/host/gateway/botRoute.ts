import type { IncomingMessage, ServerResponse } from 'node:http';
import { QueryError, type QueryOutcome } from '../../bot/answers/queryError.ts';
import { readBytes } from '../../bot/answers/readBody.ts';
import { type Asking, askBot } from './askBot.ts';
import type { BotPath } from './botPath.ts';
import { bodyOf } from './exchange.ts';
import { forwardedHeaders, headOf, isStream } from './forward.ts';
import { sendBody, sendStream } from './send.ts';
import { within } from './within.ts';

/** Until the bot's server has answered, milliseconds; it has limits of its own below this. */
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
  const exchange = { method, target, headers: forwardedHeaders(request), body } as const;
  const held = asking.unsent.open(bot);
  try {
    return await within(response, { bot, ms: ANSWER_MS }, async (signal, answered) => {
      const sending = { response, clock: asking.clock, signal };
      const { head, bytes } = await askBot(asking, bot, exchange, signal, onPlace, async (answer, leave) => {
        const first = headOf(answer, warning(asking));
        if (!isStream(answer)) return { head: first, bytes: await bodyOf(answer, signal, held) };
        // A stream may go on for as long as both sides like, and takes no place of a query.
        answered();
        leave();
        await sendStream(sending, first, answer);
        return { head: first, bytes: undefined };
      });
      answered();
      if (bytes !== undefined) await sendBody(sending, head, bytes, held);
      return head.status < 400 ? 'ok' : 'error';
    });
  } finally {
    held.close();
  }
}

/** Known bots are served from memory while the source is away. */
function warning({ api }: Asking): Record<string, string> {
  return api.status().source.answers ? {} : { warning: '199 - "the source of bots does not answer"' };
}
