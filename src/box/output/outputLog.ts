import { closeSync, ftruncateSync, openSync, rmSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolders } from '../../base/makeFolders.ts';
import type { LogSpace } from './logSpace.ts';

/** The unit in which what is old goes, bytes. */
const SEGMENT_BYTES = 1024 * 1024;

export interface Segment {
  /** How many bytes came before it. */
  readonly start: number;
  readonly path: string;
  /** What it has; the last one grows. */
  bytes: number;
}

/**
 * What a process or a terminal has printed, from its beginning, on the disk: already as server-sent events, so that a reader is sent the
 * bytes as they lie there, at its own speed. The id of an event is its place in the log, counted from 1. When there is too much
 * the oldest goes, which a reader is told.
 *
 *   append      writes an event, whole or not at all
 *   readLog     one reader: what lies there, then what comes
 *   logSpace    what all logs of a box may take together
 */
export class OutputLog {
  readonly #folder: string;
  readonly #space: LogSpace;
  #segments: Segment[] = [];
  #fd: number | undefined;
  /** Bytes of output that could not be written down since the last event. */
  #lost = 0;
  #last: string | undefined;
  #isEnded = false;
  #isRemoved = false;
  #changed = Promise.withResolvers<void>();
  /** How many bytes were ever written. */
  end = 0;

  constructor(folder: string, space: LogSpace) {
    this.#folder = folder;
    this.#space = space;
    space.add(this);
  }

  /** How many bytes are gone. */
  get start(): number {
    return this.#segments[0]?.start ?? this.end;
  }

  get bytes(): number {
    return this.end - this.start;
  }

  /** Nothing comes any more. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Resolves with the next event, or the end. */
  get changed(): Promise<void> {
    return this.#changed.promise;
  }

  /** `amount` is how many bytes of output it stands for, to be told where it cannot be written down. */
  append(type: string, data: Readonly<Record<string, unknown>>, amount: number): void {
    if (this.#isEnded) return;
    if (!this.#tellLost() || !this.#write(type, data)) this.#lost += amount;
    this.#wake();
  }

  /** The last event, which is kept in memory: no full disk takes it away. */
  finish(type: string, data: Readonly<Record<string, unknown>>): void {
    if (this.#isEnded) return;
    const gap = this.#tellLost() ? '' : encode(undefined, 'gap', { reason: 'disk', bytes: this.#lost });
    this.#last = gap + encode(this.end + 1, type, data);
    this.#close();
  }

  /** The event of `finish`, once it has come: the end of every reader's stream. */
  get last(): string | undefined {
    return this.#last;
  }

  /** Events that could not be written are missing here, and nowhere else. False: there is still no room. */
  #tellLost(): boolean {
    if (this.#lost > 0 && this.#write('gap', { reason: 'disk', bytes: this.#lost })) this.#lost = 0;
    return this.#lost === 0;
  }

  /** The piece that holds this place, which is not before `start`. */
  segmentAt(place: number): Readonly<Segment> | undefined {
    return this.#segments.findLast(({ start }) => start <= place);
  }

  /** Makes room: the oldest piece goes. False: there is only the one that is written to. */
  dropOldest(): boolean {
    if (this.#segments.length < (this.#isEnded ? 1 : 2)) return false;
    const [oldest] = this.#segments.splice(0, 1);
    unlink(oldest!.path);
    this.#space.take(-oldest!.bytes);
    return true;
  }

  remove(): void {
    if (this.#isRemoved) return;
    this.#isRemoved = true;
    this.#space.remove(this);
    this.#segments = [];
    rmSync(this.#folder, { recursive: true, force: true });
    this.#close();
  }

  #close(): void {
    this.#isEnded = true;
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
    this.#wake();
  }

  #write(type: string, data: Readonly<Record<string, unknown>>): boolean {
    const frame = Buffer.from(encode(this.end + 1, type, data));
    try {
      const segment = this.#segmentFor(frame.length);
      writeWhole(this.#fd!, frame, segment.bytes);
      segment.bytes += frame.length;
      this.end += frame.length;
      this.#space.take(frame.length);
      return true;
    } catch {
      // A full disk, a folder that somebody has taken away: readers are told how much they miss.
      return false;
    }
  }

  #segmentFor(bytes: number): Segment {
    const last = this.#segments.at(-1);
    if (last && this.#fd !== undefined && last.bytes + bytes <= SEGMENT_BYTES) return last;
    makeFolders(this.#folder, 0o700);
    const path = join(this.#folder, String(this.end));
    const fd = openSync(path, 'wx', 0o600);
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = fd;
    const segment = { start: this.end, path, bytes: 0 };
    this.#segments.push(segment);
    return segment;
  }

  #wake(): void {
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers();
    resolve();
  }
}

/** JSON has no line breaks of its own, so one `data:` line holds it. */
export function encode(
  id: number | undefined,
  type: string,
  data: Readonly<Record<string, unknown>>,
): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** Takes back what it has written where the rest has no room. */
function writeWhole(fd: number, bytes: Buffer, at: number): void {
  try {
    for (let done = 0; done < bytes.length; ) {
      done += writeSync(fd, bytes, done, bytes.length - done, at + done);
    }
  } catch (error) {
    ftruncateSync(fd, at);
    throw error;
  }
}

function unlink(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Somebody else has.
  }
}
