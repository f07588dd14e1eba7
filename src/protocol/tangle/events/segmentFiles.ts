import {
  closeSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { makeFolders } from '../../../base/makeFolders.ts';
import type { StoredEvent } from './storedEvent.ts';

export interface SegmentLimits {
  /** After which the next file begins. */
  readonly segmentBytes: number;
  /** How many files are kept. */
  readonly segments: number;
}

export interface Segment {
  /** Of its first event: its name. */
  readonly first: number;
  readonly path: string;
}

/** A stream on the disk: a line of JSON for each event, in files of which the last are kept. No file stays open: there are many streams. */
export interface SegmentFiles {
  /** When it was opened; 0: there has been no event yet. */
  readonly lastId: number;
  /** Oldest first. */
  list(): readonly Segment[];
  /** What is in the newest file. */
  newest(): readonly StoredEvent[];
  /** In the kernel's hands when it returns: whoever is killed loses none. All of `lines` or, when it throws, none. */
  append(lines: Buffer, first: number): void;
}

const NAME = /^(\d{15})\.ndjson$/;

/** `written`: told of each file that has something new, and of the folder when it has a new file. */
export function openSegmentFiles(
  folder: string,
  { segmentBytes, segments }: SegmentLimits,
  written: (path: string) => void = () => undefined,
): SegmentFiles {
  makeFolders(folder, 0o700);
  const all: Segment[] = readdirSync(folder)
    .flatMap((name) => {
      const first = NAME.exec(name)?.[1];
      return first === undefined ? [] : [{ first: Number(first), path: join(folder, name) }];
    })
    .sort((a, b) => a.first - b.first);
  const newest = () => {
    const last = all.at(-1);
    return last === undefined ? [] : parseLines(readFileSync(last.path, 'utf8'));
  };
  const whole = trimmed(all.at(-1));
  let bytes = whole.length;
  const [last] = newestFirst(whole.toString());
  const lastId = last?.id ?? (all.at(-1)?.first ?? 1) - 1;

  const begin = (first: number) => {
    all.push({ first, path: join(folder, `${String(first).padStart(15, '0')}.ndjson`) });
    bytes = 0;
    for (const { path } of all.splice(0, Math.max(0, all.length - segments))) rmSync(path, { force: true });
  };
  return {
    lastId,
    newest,
    list: () => all,
    append: (lines, first) => {
      const isFull = all.length === 0 || bytes >= segmentBytes;
      if (isFull) begin(first);
      const fd = openSync(all.at(-1)!.path, 'a', 0o600);
      try {
        for (let at = 0; at < lines.length; ) at += writeSync(fd, lines, at);
        bytes += lines.length;
        written(all.at(-1)!.path);
        if (isFull) written(folder);
      } catch (error) {
        // Half of a line would be taken for a part of the next one.
        ftruncateSync(fd, bytes);
        throw error;
      } finally {
        closeSync(fd);
      }
    },
  };
}

/** What follows the last line's end was cut off while it was written, and nobody has been told of it. Gives what stays. */
function trimmed(segment: Segment | undefined): Buffer {
  if (segment === undefined) return Buffer.alloc(0);
  const text = readFileSync(segment.path);
  const whole = text.subarray(0, text.lastIndexOf(0x0a) + 1);
  if (whole.length < text.length) truncateSync(segment.path, whole.length);
  return whole;
}

/** The same lines as `parseLines`, from the end on: a line that nobody comes to is not parsed. */
function* newestFirst(text: string): Generator<StoredEvent> {
  for (const line of text.split('\n').toReversed()) yield* parseLines(line);
}

/** A line that is none is left out. */
export function parseLines(text: string): StoredEvent[] {
  return text.split('\n').flatMap((line) => {
    try {
      return line === '' ? [] : [JSON.parse(line) as StoredEvent];
    } catch {
      return [];
    }
  });
}
