import { splitLines } from '../splitLines.ts';

/** What one event may have, characters. */
const MAX_EVENT = 16 * 1024 * 1024;

/**
 * The `data` of server-sent events, as they come. Events with a name are the agent's own and left out. Throws where one has no end.
 */
export async function* readEvents(body: AsyncIterable<Buffer>, limit = MAX_EVENT): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let lines: string[] = [];
  const tooLong = () => {
    throw new Error(`an event of more than ${limit} bytes`);
  };
  const take = splitLines({ line: (line) => void lines.push(line), tooLong }, limit);
  let data: string[] = [];
  let size = 0;
  let isNamed = false;
  const event = () => {
    const text = data.length > 0 && !isNamed ? data.join('\n') : undefined;
    data = [];
    size = 0;
    isNamed = false;
    return text;
  };
  for await (const piece of body) {
    take(decoder.decode(piece, { stream: true }));
    for (const line of lines) {
      size += line.length;
      if (size > limit) tooLong();
      if (line.startsWith('data:')) data.push(line.slice(line[5] === ' ' ? 6 : 5));
      else if (line.startsWith('event:')) isNamed = line.slice(6).trim() !== 'message';
      else if (line === '') {
        const text = event();
        if (text !== undefined) yield text;
      }
    }
    lines = [];
  }
  // The last one may lack its empty line.
  const text = event();
  if (text !== undefined) yield text;
}
