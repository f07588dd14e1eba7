import type { ObjectStore } from '../../../store/objectStore.ts';

export interface ShippedLines {
  /** The lines that came since the last call, day by day; each without its newline. */
  next(signal: AbortSignal): AsyncIterable<Buffer>;
  /** Whether there is anything of this bot's. */
  readonly found: boolean;
}

const NEWLINE = 10;

/**
 * A bot's lines. The days' objects grow at their ends only and hold whole lines, so how far one has been read is a number.
 * `since`: milliseconds since the epoch; earlier days are not read.
 */
export function shippedLines(store: ObjectStore, bot: string, since: number | undefined): ShippedLines {
  const prefix = `logs/${bot}/`;
  const firstDay = since === undefined ? '' : new Date(since).toISOString().slice(0, 10).replaceAll('-', '');
  const read = new Map<string, number>();
  let found = false;

  return {
    async *next(signal) {
      for await (const { key, size } of store.list(prefix, { signal })) {
        const [, day = '', aside] =
          /^(\d{8})(\.damaged-[0-9a-f]{8})?\.log$/.exec(key.slice(prefix.length)) ?? [];
        if (aside !== undefined && !read.has(key)) {
          // The day was damaged, kept under this name and begun anew: what was read of it is in here. It is listed before its day.
          const current = `${prefix}${day}.log`;
          read.set(key, read.get(current) ?? 0);
          read.delete(current);
        }
        const seen = read.get(key) ?? 0;
        const start = size < seen ? 0 : seen;
        found ||= day !== '';
        if (day === '' || day < firstDay || size <= start) continue;
        const { body } = await store.get(key, { range: { start, end: size }, signal });
        yield* linesOf(body);
        read.set(key, size);
      }
    },
    get found() {
      return found;
    },
  };
}

async function* linesOf(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let pieces: Buffer[] = [];
  for await (const chunk of body) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      const rest = chunk.subarray(start, end);
      yield pieces.length === 0 ? rest : Buffer.concat([...pieces, rest]);
      pieces = [];
      start = end + 1;
    }
    if (start < chunk.length) pieces.push(chunk.subarray(start));
  }
  if (pieces.length > 0) yield Buffer.concat(pieces);
}
