/**
 * The journal is how log capture (supervisor) hands the bot's output to log shipping (daemon): files of frames, each
 * a header of 16 bytes and the bytes as the bot wrote them. Making NDJSON of them is left to the reader, so that
 * capturing costs little more than copying.
 */
export interface Frame {
  readonly stream: StreamName;
  /** When the bytes were captured, milliseconds since the epoch. */
  readonly timestamp: number;
  /** The bytes begin inside a line, whose beginning is in earlier frames of this stream. */
  readonly continued: boolean;
  /** The line at the end goes on in a later frame. Otherwise the end of the frame ends it, newline or not. */
  readonly open: boolean;
  /** The line at the end was too long, and is cut here. */
  readonly cut: boolean;
  /** Bytes of payload. */
  readonly length: number;
}

export type StreamName = 'stdout' | 'stderr';

export const HEADER_BYTES = 16;
/** Longest line that is kept, in bytes. */
export const MAX_LINE_BYTES = 16 * 1024 * 1024;
/** Longest payload; lines that do not fit are spread over several frames. */
export const MAX_PAYLOAD_BYTES = 128 * 1024;

/** A segment whose header does not begin so is damaged. */
const MAGIC = 0x4c4a;
const STDERR = 1;
const CONTINUED = 2;
const OPEN = 4;
const CUT = 8;

export function encodeHeader(frame: Frame, into: Buffer): void {
  const flags =
    (frame.stream === 'stderr' ? STDERR : 0) |
    (frame.continued ? CONTINUED : 0) |
    (frame.open ? OPEN : 0) |
    (frame.cut ? CUT : 0);
  into.writeUInt16LE(MAGIC, 0);
  into.writeUInt16LE(flags, 2);
  into.writeUInt32LE(frame.length, 4);
  into.writeDoubleLE(frame.timestamp, 8);
}

/** Undefined where there is no header: the bytes are damaged. */
export function decodeHeader(bytes: Buffer, at: number): Frame | undefined {
  const flags = bytes.readUInt16LE(at + 2);
  const length = bytes.readUInt32LE(at + 4);
  if (bytes.readUInt16LE(at) !== MAGIC || length > MAX_PAYLOAD_BYTES) return undefined;
  return {
    stream: flags & STDERR ? 'stderr' : 'stdout',
    timestamp: bytes.readDoubleLE(at + 8),
    continued: (flags & CONTINUED) !== 0,
    open: (flags & OPEN) !== 0,
    cut: (flags & CUT) !== 0,
    length,
  };
}
