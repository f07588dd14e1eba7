import http from 'node:http';

/** An event as a client reads it. */
export interface ReadEvent {
  readonly id: number | undefined;
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: what a client reads has no types.
  readonly data: any;
}

export interface EventReader {
  /** All that came, without comments. */
  readonly events: readonly ReadEvent[];
  readonly ids: readonly number[];
  readonly response: http.IncomingMessage;
  /** Resolves when such an event has come; rejects when the stream ends before. */
  until(found: (event: ReadEvent) => boolean): Promise<ReadEvent>;
  /** The connection is cut as a network cuts it. */
  cut(): void;
}

/** Server-sent events, read as SDK 0.1.0 does: LF, an `event:` line, the last of the `data:` lines, JSON or nothing. */
export async function readEvents(
  url: string,
  headers: Record<string, string> = {},
  body?: { readonly json: unknown },
): Promise<EventReader> {
  const request = http.request(url, {
    agent: false,
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: 'Bearer sk_test', 'content-type': 'application/json', ...headers },
  });
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
    request.once('response', resolve).once('error', reject);
    request.end(body === undefined ? undefined : JSON.stringify(body.json));
  });
  const events: ReadEvent[] = [];
  const waiting = new Set<() => void>();
  const wake = () => {
    for (const go of waiting) go();
  };
  let text = '';
  response.setEncoding('utf8');
  response.on('data', (piece: string) => {
    text += piece;
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = (name: string) =>
        [...block.matchAll(new RegExp(`^${name}: (.*)$`, 'gm'))].map(([, value]) => value);
      const [type] = fields('event');
      const data = fields('data').at(-1);
      if (type === undefined || data === undefined) continue;
      const id = fields('id').at(-1);
      events.push({ id: id === undefined ? undefined : Number(id), type, data: JSON.parse(data) });
    }
    wake();
  });
  let isOver = false;
  response.on('error', () => undefined);
  response.on('close', () => {
    isOver = true;
    wake();
  });
  return {
    events,
    response,
    get ids() {
      return events.flatMap(({ id }) => (id === undefined ? [] : [id]));
    },
    until: (found) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const event = events.find(found);
          if (event !== undefined) resolve(event);
          else if (isOver)
            reject(
              new Error(
                `the stream has ended (${response.statusCode}) after ${events.length} events: ${text}`,
              ),
            );
          else return;
          waiting.delete(look);
        };
        waiting.add(look);
        look();
      }),
    cut: () => response.destroy(),
  };
}
