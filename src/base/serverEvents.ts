import { StringDecoder } from 'node:string_decoder';

export interface ServerEvent {
  readonly id: string | undefined;
  /** `message` where it has no name. */
  readonly event: string;
  readonly data: string;
}

/**
 * Server-sent events as our own servers send them: their lines end in LF, and the last one has its end. Comments are left out. Throws for
 * one of more than `most` characters.
 */
export async function* serverEvents(
  body: AsyncIterable<Uint8Array | string>,
  most: number,
): AsyncGenerator<ServerEvent> {
  const decoder = new StringDecoder('utf8');
  let pieces: string[] = [];
  let size = 0;
  for await (const piece of body) {
    const text = typeof piece === 'string' ? piece : decoder.write(piece as Buffer);
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

function parse(block: string): ServerEvent | undefined {
  let id: string | undefined;
  let event = 'message';
  const data: string[] = [];
  for (const line of block.split('\n')) {
    const [, name, value = ''] = /^(\w+): ?(.*)$/s.exec(line) ?? [];
    if (name === 'id') id = value;
    else if (name === 'event') event = value;
    else if (name === 'data') data.push(value);
  }
  return data.length === 0 ? undefined : { id, event, data: data.join('\n') };
}
