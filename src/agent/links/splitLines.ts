/** What one line may have, characters; what it has beyond is not kept. */
const MAX_LINE = 16 * 1024 * 1024;
/** Of a line that is too long, what is looked at to tell whose it was. */
const HEAD = 4096;

export interface LineSinks {
  /** Without its newline. */
  line(text: string): void;
  /** A line longer than the limit, of which only the beginning is known. */
  tooLong(head: string): void;
}

/** Text in pieces, as lines. Holds at most one line of `limit` characters. */
export function splitLines(sinks: LineSinks, limit = MAX_LINE): (text: string) => void {
  let pieces: string[] = [];
  let length = 0;
  let dropping = false;

  const add = (text: string) => {
    if (dropping || text === '') return;
    pieces.push(text);
    length += text.length;
    if (length <= limit) return;
    dropping = true;
    const head = pieces.join('').slice(0, HEAD);
    pieces = [];
    sinks.tooLong(head);
  };

  return (text) => {
    let from = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
      add(text.slice(from, end));
      const line = dropping ? undefined : pieces.join('');
      pieces = [];
      length = 0;
      dropping = false;
      from = end + 1;
      if (line !== undefined) sinks.line(line.endsWith('\r') ? line.slice(0, -1) : line);
    }
    add(text.slice(from));
  };
}
