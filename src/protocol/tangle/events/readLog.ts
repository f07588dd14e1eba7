import { open } from 'node:fs/promises';
import { systemCode } from '../../../base/errors.ts';
import type { EventLog } from './eventLog.ts';
import { parseLines, type Segment } from './segmentFiles.ts';
import { encodeFrame, type Frame } from './storedEvent.ts';

/** What a reader is handed at a time, characters; and what is read from the disk for it, bytes: longer than any event. */
const BATCH = 64 * 1024;
const CHUNK_BYTES = 256 * 1024;

/** One reader: where it is, and nothing else. It asks for more when it has taken what it was given. */
export interface LogReader {
  /** Of the last event that it was given, or was told that it will never see. */
  readonly cursor: number;
  /** The events that follow; none: there is none yet. */
  next(): Promise<readonly Frame[]>;
}

/** `cursor`: the last event that it has seen; 0: from the beginning. One that this stream has not had yet is told so, and begins there. */
export function readLog(log: EventLog, cursor: number): LogReader {
  let at = cursor;
  let place: { readonly segment: Segment; readonly offset: number } | undefined;

  const gap = (to: number, reason: string): Frame[] => {
    const text = encodeFrame({ id: to, type: 'gap', data: { from: at + 1, to, reason } });
    at = to;
    return [{ id: to, text }];
  };

  const fromDisk = async (): Promise<readonly Frame[]> => {
    const segments = log.segments();
    const segment = segments.findLast(({ first }) => first <= at + 1);
    if (segment === undefined) return gap(log.oldestId - 1, 'evicted');
    const offset = place?.segment === segment ? place.offset : 0;
    const chunk = await readChunk(segment.path, offset);
    // It has left the disk while it was read.
    if (chunk === undefined) return log.oldestId > at + 1 ? gap(log.oldestId - 1, 'evicted') : [];
    const { frames, taken } = take(chunk, at);
    place = { segment, offset: offset + taken };
    at = frames.at(-1)?.id ?? at;
    if (taken > 0) return frames;
    // A file that ends before its neighbour begins.
    const following = log.segments().find(({ first }) => first > segment.first);
    return following === undefined ? gap(log.lastId, 'damaged') : gap(following.first - 1, 'damaged');
  };

  return {
    get cursor() {
      return at;
    },
    next: async () => {
      if (at > log.lastId) {
        const data = { from: at, to: null, reason: 'unknown-cursor' };
        at = log.oldestId - 1;
        return [{ id: at, text: encodeFrame({ type: 'gap', data }) }];
      }
      while (at < log.lastId) {
        const oldest = log.ring[0];
        const isHere = oldest !== undefined && at + 1 >= oldest.id;
        const frames = isHere ? upToBatch(log.ring.slice(at + 1 - oldest.id)) : await fromDisk();
        at = frames.at(-1)?.id ?? at;
        if (frames.length > 0) return frames;
      }
      return [];
    },
  };
}

function upToBatch(frames: readonly Frame[]): readonly Frame[] {
  let size = 0;
  const end = frames.findIndex(({ text }) => {
    size += text.length;
    return size > BATCH;
  });
  return end === -1 ? frames : frames.slice(0, end + 1);
}

/** Whole lines only. Undefined: there is no such file. */
async function readChunk(path: string, offset: number): Promise<Buffer | undefined> {
  try {
    await using file = await open(path);
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES, offset);
    const read = buffer.subarray(0, bytesRead);
    return read.subarray(0, read.lastIndexOf(0x0a) + 1);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** As much as a reader is handed at a time, of what follows `after`; `taken`: bytes of the chunk that are done with. */
function take(chunk: Buffer, after: number): { readonly frames: Frame[]; readonly taken: number } {
  const frames: Frame[] = [];
  let taken = 0;
  for (let size = 0; taken < chunk.length && size < BATCH; ) {
    const end = chunk.indexOf(0x0a, taken) + 1;
    const [event] = parseLines(chunk.toString('utf8', taken, end));
    taken = end;
    if (event === undefined || event.id <= after) continue;
    const text = encodeFrame(event);
    size += text.length;
    frames.push({ id: event.id, text });
  }
  return { frames, taken };
}
