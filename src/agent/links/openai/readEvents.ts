import { splitLines } from '../splitLines.ts';

/** What one event may have, characters. */
const MAX_EVENT = 16 * 1024 * 1024;

export interface ServerEvent {
  /** Undefined where it has none, which is `message`. */
  readonly name: string | undefined;
  /** Never empty: an event without data keeps a connection alive, and says nothing. */
  readonly data: string;
}

/** Server-sent events, as they come; their lines end in LF, CR LF or CR. Throws where one has no end. */
export async function* readEvents(
  body: AsyncIterable<Buffer>,
  limit = MAX_EVENT,
): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder();
  const unix = unixLines();
  let lines: string[] = [];
  const tooLong = () => {
    throw new Error(`an event of more than ${limit} bytes`);
  };
  const take = splitLines({ line: (line) => void lines.push(line), tooLong }, limit);
  let data: string[] = [];
  let size = 0;
  let name: string | undefined;

  const end = (): ServerEvent | undefined => {
    const ended = { name: name === 'message' ? undefined : name, data: data.join('\n') };
    data = [];
    size = 0;
    name = undefined;
    return ended.data.trim() === '' ? undefined : ended;
  };
  const add = (line: string) => {
    size += line.length;
    if (size > limit) tooLong();
    if (line.startsWith('data:')) data.push(line.slice(line[5] === ' ' ? 6 : 5));
    else if (line.startsWith('event:')) name = line.slice(6).trim();
  };

  for await (const piece of body) {
    take(unix(decoder.decode(piece, { stream: true })));
    for (const line of lines) {
      if (line !== '') add(line);
      else {
        const event = end();
        if (event) yield event;
      }
    }
    lines = [];
  }
  // The last one may lack its empty line, and the end of its own.
  take('\n');
  for (const line of lines) add(line);
  const event = end();
  if (event) yield event;
}

/** Text in pieces whose lines end in LF. A CR at the end of a piece may be half of the end of a line. */
function unixLines(): (text: string) => string {
  let wasReturn = false;
  return (text) => {
    if (text === '') return text;
    const rest = wasReturn && text.startsWith('\n') ? text.slice(1) : text;
    wasReturn = text.endsWith('\r');
    return rest.replaceAll(/\r\n?/g, '\n');
  };
}
