import {
  closeSync,
  existsSync,
  ftruncateSync,
  openSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
  writevSync,
} from 'node:fs';
import { RuntimeError } from '../../../base/errors.ts';
import { makeFolders } from '../../../base/makeFolders.ts';
import { countLines } from '../../../bot/logs/countLines.ts';
import { encodeHeader, type Frame, HEADER_BYTES, MAX_PAYLOAD_BYTES } from '../../../bot/logs/frame.ts';
import { scanSegment } from '../../../bot/logs/scanSegment.ts';
import {
  listSegments,
  MAX_SEGMENTS,
  rotationMarker,
  SEGMENT_BYTES,
  type Segment,
  segmentAt,
} from '../../../bot/logs/segment.ts';

const FRAME_BYTES = HEADER_BYTES + MAX_PAYLOAD_BYTES;
/** What a full segment still takes: frames under way, and what is in the pipes when the bot ends. */
const RESERVE_BYTES = 5 * FRAME_BYTES;

export interface JournalWriter {
  /** Never throws: lines that the disk does not take are missing, and the reader says how many. */
  append(frame: Omit<Frame, 'length'>, carried: Uint8Array, bytes: Uint8Array): void;
  /** The newest segment should take no more: `makeRoom`, and hold the bot back until there is some. */
  readonly full: boolean;
  /** Nor can it. */
  readonly overfull: boolean;
  /**
   * Begins the next segment where the current one is full. Says how many segments the reader has left; undefined:
   * as many as there may be, and nothing was done. With `force` the oldest goes.
   */
  makeRoom(force: boolean): number | undefined;
  /** The disk has not taken what came last, and there is no later segment yet by whose name the reader could tell. */
  readonly broken: boolean;
  /** Lines that the disk has not taken; one of which only a part is missing counts as well. */
  readonly refused: number;
  close(): void;
}

export interface JournalOptions {
  readonly dir: string;
  readonly now: () => number;
  /** Smaller in tests. */
  readonly segmentBytes?: number;
}

/** Goes on after what an earlier writer left in `dir`, even one that was killed. Throws `config` when it cannot write. */
export function openJournal({ dir, now, segmentBytes = SEGMENT_BYTES }: JournalOptions): JournalWriter {
  const header = Buffer.alloc(HEADER_BYTES);
  let { segment, fd, size, lines, open } = goOn(dir);
  // A write failed: what comes next begins a new segment, whose name tells how many lines are missing before it.
  let broken = false;
  let refused = 0;

  const begin = (next: Segment) => {
    if (size === 0) {
      renameSync(segment.path, next.path);
    } else {
      const opened = openSync(next.path, 'ax', 0o640);
      closeSync(fd);
      fd = opened;
    }
    segment = next;
    size = 0;
    broken = false;
    tellRotation(dir);
  };

  const makeRoom = (force: boolean): number | undefined => {
    const segments = listSegments(dir);
    // An empty one is only given another name.
    if (segments.length >= MAX_SEGMENTS && size > 0) {
      if (!force) return undefined;
      for (const oldest of segments.splice(0, segments.length - MAX_SEGMENTS + 1))
        rmSync(oldest.path, { force: true });
    }
    try {
      begin(segmentAt(dir, segment.offset + size, lines));
    } catch {
      broken = true;
    }
    return segments.length;
  };

  /** Whether the disk has taken it. */
  const write = (frame: Frame, parts: Uint8Array[]): boolean => {
    encodeHeader(frame, header);
    if (broken) makeRoom(false);
    if (broken) return false;
    try {
      const written = writevSync(fd, [header, ...parts]);
      if (written !== HEADER_BYTES + frame.length) throw new Error('the disk took only a part');
      size += written;
      return true;
    } catch {
      broken = true;
      truncate(fd, size);
      return false;
    }
  };

  const journal: JournalWriter = {
    append: (head, carried, bytes) => {
      const frame = { ...head, length: carried.length + bytes.length };
      const isTaken = write(frame, [carried, bytes]);
      const count = countLines(frame, bytes.length > 0 ? bytes : carried);
      lines += count;
      if (!isTaken) refused += Math.max(1, count);
    },
    get full() {
      return size > segmentBytes - RESERVE_BYTES;
    },
    get overfull() {
      return size > segmentBytes - FRAME_BYTES;
    },
    makeRoom,
    get broken() {
      return broken;
    },
    get refused() {
      return refused;
    },
    close: () => closeSync(fd),
  };
  // The writer before us was killed inside these lines: they end here.
  for (const stream of open) {
    const frame = { stream, timestamp: now(), continued: true, open: false, cut: true };
    journal.append(frame, new Uint8Array(), new Uint8Array());
  }
  return journal;
}

function goOn(dir: string) {
  try {
    makeFolders(dir, 0o750);
    if (!existsSync(rotationMarker(dir))) writeFileSync(rotationMarker(dir), '', { mode: 0o640 });
    const segment = listSegments(dir).at(-1) ?? segmentAt(dir, 0, 0);
    const fd = openSync(segment.path, 'a', 0o640);
    const scan = scanSegment(segment.path);
    ftruncateSync(fd, scan.bytes);
    return { segment, fd, size: scan.bytes, lines: segment.lines + scan.lines, open: scan.open };
  } catch (error) {
    throw new RuntimeError('config', `logs cannot be kept in ${dir}: ${(error as Error).message}`, {
      op: 'logs.open',
      path: dir,
      hint: 'LOGS_PATH must be a directory that the runtime can write to.',
      cause: error,
    });
  }
}

function tellRotation(dir: string): void {
  try {
    const now = new Date();
    utimesSync(rotationMarker(dir), now, now);
  } catch {
    // The reader looks again at its next interval.
  }
}

function truncate(fd: number, size: number): void {
  try {
    ftruncateSync(fd, size);
  } catch {
    // The reader stops at a frame that is not whole and goes on with the next segment.
  }
}
