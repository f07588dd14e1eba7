import { StringDecoder } from 'node:string_decoder';

export interface LoggedEvent {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** What `readLog` gives, event by event. */
export async function* loggedEvents(pieces: AsyncIterable<string | Buffer>): AsyncGenerator<LoggedEvent> {
  const decoder = new StringDecoder();
  let rest = '';
  for await (const piece of pieces) {
    const frames = `${rest}${typeof piece === 'string' ? piece : decoder.write(piece)}`.split('\n\n');
    rest = frames.pop() ?? '';
    for (const frame of frames) {
      const type = /^event: (.*)$/m.exec(frame)?.[1];
      const data = /^data: (.*)$/m.exec(frame)?.[1];
      if (type !== undefined && data !== undefined)
        yield { type, data: JSON.parse(data) as LoggedEvent['data'] };
    }
  }
}
