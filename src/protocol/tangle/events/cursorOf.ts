import type { IncomingMessage } from 'node:http';
import { invalid } from '../http/httpError.ts';

/**
 * The last event that a client has seen: `Last-Event-ID`, `?lastEventId` or `?since`; 0: from the beginning. Undefined: it says nothing.
 * Throws 400 for what is no number.
 */
export function cursorOf(
  query: URLSearchParams,
  { headers }: Pick<IncomingMessage, 'headers'>,
): number | undefined {
  const header = headers['last-event-id'];
  const text =
    (typeof header === 'string' ? header : undefined) ?? query.get('lastEventId') ?? query.get('since');
  if (text === null || text === '') return undefined;
  if (!/^\d{1,15}$/.test(text)) throw invalid({ lastEventId: 'expected the number of an event' });
  return Number(text);
}
