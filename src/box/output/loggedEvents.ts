import { serverEvents } from '../../base/serverEvents.ts';

export interface LoggedEvent {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Characters: no event of a log comes near it. */
const MOST = 16 * 2 ** 20;

/** What `readLog` gives, event by event. */
export async function* loggedEvents(pieces: AsyncIterable<string | Buffer>): AsyncGenerator<LoggedEvent> {
  for await (const { event, data } of serverEvents(pieces, MOST))
    yield { type: event, data: JSON.parse(data) as LoggedEvent['data'] };
}
