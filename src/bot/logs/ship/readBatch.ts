import { countLines } from '../countLines.ts';
import type { StreamName } from '../frame.ts';
import { encodeLines, encodeLongLine, encodeNote } from './encodeLine.ts';
import { neededFrom, type Position } from './position.ts';
import { type ReadFrame, readFrames } from './readFrames.ts';

/** Lines of one day, ready to go after that day's object. */
export interface Batch {
  /** UTC day of capture: `20261121`. */
  readonly day: string;
  readonly tail: Buffer;
  readonly lines: number;
  /** Position after it. */
  readonly position: Position;
  /** It was full, or a day ended: there is more. */
  readonly more: boolean;
}

export interface BatchLimits {
  /** No more frames are taken once the tail has this many bytes. */
  readonly maxBytes?: number;
  /** Up to this offset of the journal: with the end of an earlier batch, that batch again. */
  readonly until?: number;
}

/** Undefined: there is no whole line after `from`. The same journal gives the same batch. */
export async function readBatch(
  dir: string,
  from: Position,
  { maxBytes = Number.MAX_SAFE_INTEGER, until = Number.MAX_SAFE_INTEGER }: BatchLimits,
): Promise<Batch | undefined> {
  const assembler = createAssembler(from);
  let more = false;
  for await (const frame of readFrames(dir, neededFrom(from))) {
    if (frame.start >= until) break;
    if (frame.end <= from.offset) assembler.recall(frame);
    else more = assembler.bytes >= maxBytes || !assembler.take(frame);
    if (more) break;
  }
  return assembler.batch(more);
}

function createAssembler(from: Position) {
  const parts: Buffer[] = [];
  const pieces: Record<StreamName, Buffer[]> = { stdout: [], stderr: [] };
  let position = from;
  let day: string | undefined;
  let bytes = 0;

  const put = (part: Buffer) => {
    parts.push(part);
    bytes += part.length;
  };

  /** Keeps a piece of a line that ends later. */
  const keep = (frame: ReadFrame) => pieces[frame.stream].push(Buffer.from(frame.payload));

  const close = (frame: ReadFrame) => {
    const { timestamp, stream, payload } = frame;
    const newline = payload.indexOf(10);
    const end = newline < 0 ? payload.length : newline;
    // Its beginning is lost where a continued line has no pieces.
    const beheaded = frame.continued && pieces[stream].length === 0;
    const line = [...pieces[stream], payload.subarray(0, end)];
    put(encodeLongLine({ timestamp, stream }, line, frame.cut || beheaded));
    pieces[stream] = [];
    return payload.subarray(end + 1);
  };

  const take = (frame: ReadFrame): boolean => {
    const { timestamp, stream } = frame;
    const lost = (frame.linesBefore ?? 0) - position.lines;
    if (lost > 0 || !frame.open) {
      const frameDay = new Date(timestamp).toISOString().slice(0, 10).replaceAll('-', '');
      if (day !== undefined && day !== frameDay) return false;
      day = frameDay;
    }
    if (lost > 0) put(encodeNote({ timestamp, stream: 'stderr' }, lostMessage(lost)));
    const lines = position.lines + Math.max(lost, 0) + countLines(frame, frame.payload);
    const { [stream]: begun = frame.start, ...others } = position.open;
    if (frame.open) {
      keep(frame);
      position = { offset: frame.end, lines, open: { ...others, [stream]: begun } };
      return true;
    }
    const whole = frame.continued ? close(frame) : frame.payload;
    if (whole.length > 0) put(encodeLines({ timestamp, stream }, whole));
    position = { offset: frame.end, lines, open: others };
    return true;
  };

  return {
    /** A frame before the position: only what belongs to a line that is still open matters. */
    recall: (frame: ReadFrame) => {
      if (frame.start >= (from.open[frame.stream] ?? Number.MAX_SAFE_INTEGER)) keep(frame);
    },
    take,
    get bytes() {
      return bytes;
    },
    batch: (more: boolean): Batch | undefined =>
      day === undefined
        ? undefined
        : { day, tail: Buffer.concat(parts, bytes), lines: position.lines - from.lines, position, more },
  };
}

function lostMessage(lines: number): string {
  return `runtime: ${lines} earlier lines are missing here: the bot wrote faster than its logs could be shipped or kept`;
}
