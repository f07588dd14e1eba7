import { closeSync, openSync, readSync } from 'node:fs';
import { countLines } from './countLines.ts';
import { decodeHeader, HEADER_BYTES, MAX_PAYLOAD_BYTES, type StreamName } from './frame.ts';

export interface SegmentScan {
  /** Up to here the segment holds whole frames. */
  readonly bytes: number;
  /** Lines that end in it. */
  readonly lines: number;
  /** Streams whose last line goes on in a frame that is not there. */
  readonly open: readonly StreamName[];
}

/** What a writer must know to go on where another one was killed. */
export function scanSegment(path: string): SegmentScan {
  const fd = openSync(path, 'r');
  try {
    const buffer = Buffer.allocUnsafe(8 * (HEADER_BYTES + MAX_PAYLOAD_BYTES));
    const open = new Set<StreamName>();
    let bytes = 0;
    let lines = 0;
    for (;;) {
      const read = readSync(fd, buffer, 0, buffer.length, bytes);
      let at = 0;
      while (at + HEADER_BYTES <= read) {
        const frame = decodeHeader(buffer, at);
        const end = at + HEADER_BYTES + (frame?.length ?? 0);
        if (frame === undefined || end > read) break;
        lines += countLines(frame, buffer.subarray(at + HEADER_BYTES, end));
        if (frame.open) open.add(frame.stream);
        else open.delete(frame.stream);
        at = end;
      }
      bytes += at;
      if (at === 0) return { bytes, lines, open: [...open] };
    }
  } finally {
    closeSync(fd);
  }
}
