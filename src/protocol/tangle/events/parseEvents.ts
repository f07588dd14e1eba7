import { serverEvents } from '../../../base/serverEvents.ts';

export interface ParsedEvent {
  readonly id: number | undefined;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** What our own servers inside tell. Throws as `serverEvents`, and for data that is no object. */
export async function* parseEvents(body: AsyncIterable<Buffer>, most: number): AsyncGenerator<ParsedEvent> {
  for await (const { id, event, data } of serverEvents(body, most)) {
    const value: unknown = JSON.parse(data);
    if (typeof value !== 'object' || value === null) throw new Error('an event whose data is no object');
    yield {
      id: id === undefined ? undefined : Number(id),
      type: event,
      data: value as Readonly<Record<string, unknown>>,
    };
  }
}
