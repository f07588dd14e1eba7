import { type FileHandle, open } from 'node:fs/promises';
import type { Clock } from '../../base/clock.ts';
import { encode, type OutputLog, type Segment } from './outputLog.ts';

const CHUNK_BYTES = 32 * 1024;
const HEARTBEAT_MS = 15_000;

export interface ReadLogOptions {
  /** The id of the last event that the reader has; 0: from the beginning, and one that is none as well, which it is told. */
  readonly after: number;
  /** Instead: a place where an event begins. What was before it is not told of. */
  readonly from?: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * The log for one reader, as server-sent events: what lies there, then what comes, until its end. The reader pulls: nothing is
 * kept for it, and it may be as slow as it likes. What has gone before it came is a `gap` event; a comment comes every 15 s.
 */
export async function* readLog(
  log: OutputLog,
  { after, from, clock, signal }: ReadLogOptions,
): AsyncGenerator<string | Buffer> {
  const pieces = new Pieces(log);
  const gap = (begin: number, end: number) =>
    encode(undefined, 'gap', { reason: 'limit', from: begin + 1, to: end, bytes: end - begin });
  try {
    // The headers go out at once, also when there is no event yet.
    yield ': log\n\n';
    const known = from ?? (after > 0 ? await placeAfter(pieces, log, after) : 0);
    if (known === undefined)
      yield encode(undefined, 'gap', { reason: 'unknown-cursor', from: after, to: null });
    let place = known ?? 0;
    while (!signal.aborted) {
      const piece = await pieces.at(place);
      if (piece) {
        const bytes = await piece.read(place);
        // What somebody has cut short or taken away while we had it.
        if (bytes.length === 0) yield gap(place, piece.end);
        else yield bytes;
        place = bytes.length === 0 ? piece.end : place + bytes.length;
      } else if (place < log.start) {
        yield gap(place, log.start);
        place = log.start;
      } else if (place < log.end) {
        const { start, bytes } = log.segmentAt(place)!;
        yield gap(place, start + bytes);
        place = start + bytes;
      } else if (log.isEnded) {
        if (log.last !== undefined) yield log.last;
        return;
      } else if (!(await comes(log, clock, signal))) {
        yield ': alive\n\n';
      }
    }
  } finally {
    await pieces.close();
  }
}

/** Where the event after this one begins; undefined: there is no event of this id. */
async function placeAfter(pieces: Pieces, log: OutputLog, id: number): Promise<number | undefined> {
  const place = id - 1;
  // An event that is gone: what follows it is as well, or is the beginning of what there is.
  if (place < log.start) return place + 1;
  const bytes = (await (await pieces.at(place))?.read(place)) ?? Buffer.alloc(0);
  const end = bytes.indexOf('\n\n');
  return end !== -1 && bytes.subarray(0, end).toString('latin1').startsWith(`id: ${id}\n`)
    ? place + end + 2
    : undefined;
}

/** False: nothing came for as long as a reader may be left without a sign. */
async function comes(log: OutputLog, clock: Clock, signal: AbortSignal): Promise<boolean> {
  const over = new AbortController();
  const silence = clock.sleep(HEARTBEAT_MS, AbortSignal.any([signal, over.signal])).then(
    () => false,
    () => true,
  );
  const came = await Promise.race([log.changed.then(() => true), silence]);
  over.abort();
  return came;
}

interface Piece {
  /** The place behind its last event. */
  readonly end: number;
  read(place: number): Promise<Buffer>;
}

/** The file that is read, kept open: the log may take it away meanwhile, and it is read to its end all the same. */
class Pieces {
  readonly #log: OutputLog;
  #segment: Readonly<Segment> | undefined;
  #file: FileHandle | undefined;

  constructor(log: OutputLog) {
    this.#log = log;
  }

  /** The one that has what is at this place. Undefined: nothing is, or it is gone. */
  async at(place: number): Promise<Piece | undefined> {
    const holds = (segment: Readonly<Segment> | undefined) =>
      segment && place >= segment.start && place < segment.start + segment.bytes;
    if (!holds(this.#segment)) {
      const segment = this.#log.segmentAt(place);
      if (!holds(segment)) return undefined;
      await this.close();
      this.#file = await open(segment!.path).catch(() => undefined);
      this.#segment = this.#file && segment;
    }
    const [segment, file] = [this.#segment, this.#file];
    if (!segment || !file) return undefined;
    const end = segment.start + segment.bytes;
    return {
      end,
      read: async (from) => {
        const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, end - from));
        const { bytesRead } = await file.read(buffer, 0, buffer.length, from - segment.start);
        return buffer.subarray(0, bytesRead);
      },
    };
  }

  async close(): Promise<void> {
    const file = this.#file;
    [this.#file, this.#segment] = [undefined, undefined];
    await file?.close();
  }
}
