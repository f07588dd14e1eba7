import { closeSync, openSync, readSync } from 'node:fs';
import { systemCode } from '../../../base/errors.ts';
import { decodeHeader, type Frame, HEADER_BYTES, MAX_PAYLOAD_BYTES } from '../frame.ts';
import { listSegments, type Segment } from '../segment.ts';

export interface ReadFrame extends Frame {
  /** Where it begins and ends in the journal. */
  readonly start: number;
  readonly end: number;
  /** Valid until the next frame is asked for. */
  readonly payload: Buffer;
  /** Lines that ended before the segment it lies in; set on the first frame read of a segment. */
  readonly linesBefore: number | undefined;
}

const BUFFER_BYTES = 4 * (HEADER_BYTES + MAX_PAYLOAD_BYTES);

/**
 * The frames from `offset` on, up to what is written now. Where segments are gone or damaged, it goes on with the next
 * one that is there.
 */
export async function* readFrames(dir: string, offset: number): AsyncGenerator<ReadFrame> {
  // Before any reading: the writer does not touch a segment again once there is a newer one.
  const segments = listSegments(dir);
  const first = Math.max(
    segments.findLastIndex((segment) => segment.offset <= offset),
    0,
  );
  const buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  for (const segment of segments.slice(first)) {
    yield* readSegment(segment, Math.max(offset - segment.offset, 0), buffer);
  }
}

async function* readSegment(segment: Segment, from: number, buffer: Buffer): AsyncGenerator<ReadFrame> {
  const fd = openIfThere(segment.path);
  if (fd === undefined) return;
  try {
    let linesBefore = from === 0 ? segment.lines : undefined;
    for (let position = from; ; ) {
      // Synchronous: it was written a moment ago, and lies in the page cache.
      const bytesRead = readSync(fd, buffer, 0, buffer.length, position);
      let at = 0;
      while (at + HEADER_BYTES <= bytesRead) {
        const frame = decodeHeader(buffer, at);
        const end = at + HEADER_BYTES + (frame?.length ?? 0);
        if (frame === undefined || end > bytesRead) break;
        const start = segment.offset + position;
        const payload = buffer.subarray(at + HEADER_BYTES, end);
        yield { ...frame, start: start + at, end: start + end, payload, linesBefore };
        linesBefore = undefined;
        at = end;
      }
      if (at === 0) return;
      position += at;
    }
  } finally {
    closeSync(fd);
  }
}

/** Undefined: the writer has dropped it just now. */
function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
