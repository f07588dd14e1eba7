import { StringDecoder } from 'node:string_decoder';

export interface ParsedEvent {
  readonly id: number | undefined;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Server-sent events as our own servers send them. Comments are left out. Throws for one of more than `most` characters, and for data that is no object. */
export async function* parseEvents(body: AsyncIterable<Buffer>, most: number): AsyncGenerator<ParsedEvent> {
  const decoder = new StringDecoder('utf8');
  let pieces: string[] = [];
  let size = 0;
  for await (const piece of body) {
    const text = decoder.write(piece);
    pieces.push(text);
    size += text.length;
    if (size > most) throw new Error('an event without an end');
    // Its two halves may come apart.
    if (!text.includes('\n')) continue;
    const blocks = pieces.join('').split('\n\n');
    const rest = blocks.pop() ?? '';
    pieces = [rest];
    size = rest.length;
    for (const block of blocks) {
      const event = parse(block);
      if (event !== undefined) yield event;
    }
  }
}

function parse(block: string): ParsedEvent | undefined {
  let id: number | undefined;
  let type = 'message';
  let data: string | undefined;
  for (const line of block.split('\n')) {
    const [, name, value = ''] = /^(\w+): ?(.*)$/s.exec(line) ?? [];
    if (name === 'id') id = Number(value);
    else if (name === 'event') type = value;
    else if (name === 'data') data = value;
  }
  if (data === undefined) return undefined;
  const value: unknown = JSON.parse(data);
  if (typeof value !== 'object' || value === null) throw new Error('an event whose data is no object');
  return { id, type, data: value as Readonly<Record<string, unknown>> };
}
