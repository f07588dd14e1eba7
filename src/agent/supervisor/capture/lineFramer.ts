import { type Frame, MAX_LINE_BYTES, type StreamName } from '../../../bot/logs/frame.ts';

type Append = (frame: Omit<Frame, 'length'>, carried: Uint8Array, bytes: Uint8Array) => void;

export interface LineFramer {
  /** Takes up to 64 KiB; the bytes may be reused afterwards. */
  push(chunk: Buffer, timestamp: number): void;
  /** No more is coming: what is left is the last line. */
  end(timestamp: number): void;
}

const NEWLINE = 10;
const nothing = Buffer.alloc(0);
/** An unfinished line longer than this is kept in the journal rather than in memory, bytes. */
const MAX_CARRIED = 32 * 1024;

/**
 * Makes frames of one stream's chunks: whole lines wherever that is possible, so that most frames stand for
 * themselves, and a long line in pieces.
 */
export function createLineFramer(stream: StreamName, append: Append): LineFramer {
  // One piece of memory for good: appending is over when `append` returns.
  const memory = Buffer.allocUnsafeSlow(MAX_CARRIED);
  let carried: Buffer = nothing;
  /** Bytes of the unfinished line that are in the journal already. */
  let kept = 0;
  /** Inside the rest of a line that was cut. */
  let skipping = false;

  const emit = (bytes: Uint8Array, timestamp: number, flags: { open?: boolean; cut?: boolean }) => {
    const { open = false, cut = false } = flags;
    append({ stream, timestamp, continued: kept > 0, open, cut }, carried, bytes);
    kept = open ? kept + carried.length + bytes.length : 0;
    carried = nothing;
  };

  const push = (chunk: Buffer, timestamp: number): void => {
    const first = chunk.indexOf(NEWLINE);
    if (skipping) {
      if (first < 0) return;
      skipping = false;
      push(chunk.subarray(first + 1), timestamp);
      return;
    }
    const room = MAX_LINE_BYTES - kept - carried.length;
    if ((first < 0 ? chunk.length : first) > room) {
      emit(chunk.subarray(0, room), timestamp, { cut: true });
      skipping = true;
      push(chunk.subarray(room), timestamp);
      return;
    }
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    if (end > 0) emit(chunk.subarray(0, end), timestamp, {});
    const rest = chunk.subarray(end);
    if (carried.length + rest.length > MAX_CARRIED) emit(rest, timestamp, { open: true });
    else if (rest.length > 0) {
      rest.copy(memory, carried.length);
      carried = memory.subarray(0, carried.length + rest.length);
    }
  };

  return {
    push,
    end: (timestamp) => {
      if (carried.length > 0 || kept > 0) emit(nothing, timestamp, {});
    },
  };
}
