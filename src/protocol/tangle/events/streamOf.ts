import type { Call } from '../http/route.ts';
import type { Parts } from '../parts.ts';
import type { StreamKind } from './eventBus.ts';
import { streamEvents } from './streamEvents.ts';

export interface StreamedOf {
  readonly kind: StreamKind;
  readonly id: string;
  readonly cursor: number;
  /** Only its events, until it is done; undefined: all, until the client goes. */
  readonly execution?: string;
  /** After an event of one of these types the stream ends. */
  readonly last?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** Answers a call with a stream. */
export async function streamOf(
  { bus, clock }: Pick<Parts, 'bus' | 'clock'>,
  { method, response, signal }: Pick<Call, 'method' | 'response' | 'signal'>,
  { kind, id, cursor, execution, last = execution === undefined ? [] : ['done'], headers = {} }: StreamedOf,
): Promise<undefined> {
  if (method === 'HEAD') {
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', ...headers }).end();
    return;
  }
  await streamEvents(response, {
    log: bus.of(kind, id),
    cursor,
    init: { serverInstanceId: bus.instance, streamId: `${kind}/${id}` },
    headers,
    clock,
    signal,
    ...(execution === undefined
      ? {}
      : {
          filter: ({ text }) =>
            text.includes(`"executionId":"${execution}"`) || text.includes('\nevent: gap\n'),
        }),
    isLast: ({ text }) => last.some((type) => text.includes(`\nevent: ${type}\n`)),
    onReader: (reader) => bus.follow(kind, id, reader),
  });
}
