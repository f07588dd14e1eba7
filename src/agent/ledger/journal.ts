import { createReadStream, readdirSync, statSync } from 'node:fs';
import { type FileHandle, open, readFile, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../../base/errors.ts';

/*
 * What has not been shipped yet, and a little more: lines of JSON in segments that are named by the offset of their first byte since
 * the ledger's beginning. One process writes it, the query server; the daemon reads it, and removes segments that are in the store.
 */

const SEGMENT_BYTES = 1024 * 1024;
/** The runtime writes lines of some 500 bytes; a longer line is not one of them. */
const MAX_LINE = 64 * 1024;

interface Segment {
  readonly path: string;
  /** Of its first byte. */
  readonly offset: number;
}

export interface JournalWriter {
  /** Resolves when the line outlives our death and the machine's. */
  append(line: string): Promise<void>;
  close(): Promise<void>;
}

export interface JournalLine {
  readonly text: string;
  /** Of the byte after its newline. */
  readonly end: number;
}

/** By offset. */
export function listSegments(dir: string): readonly Segment[] {
  let names: readonly string[] = [];
  try {
    names = readdirSync(dir);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
  return names
    .flatMap((name) => {
      const [, digits] = /^(\d{15})\.ndjson$/.exec(name) ?? [];
      return digits === undefined ? [] : [{ path: join(dir, name), offset: Number(digits) }];
    })
    .sort((a, b) => a.offset - b.offset);
}

/** `from`: where the ledger goes on where there is no segment. What a crash has left of a line is cut away. */
export async function openJournal(dir: string, from: () => number): Promise<JournalWriter> {
  const last = listSegments(dir).at(-1);
  let offset = last?.offset ?? from();
  let size = 0;
  if (last) {
    const bytes = await readFile(last.path);
    size = bytes.lastIndexOf(10) + 1;
    if (size < bytes.length) await truncate(last.path, size);
  }
  let handle = await openSegment(dir, offset);
  let running: Promise<unknown> = Promise.resolve();

  const write = async (line: string) => {
    if (size >= SEGMENT_BYTES) {
      // While there is no next one, this one stays: the next line tries again.
      const next = await openSegment(dir, offset + size);
      const last = handle;
      handle = next;
      offset += size;
      size = 0;
      await last.close();
    }
    const bytes = Buffer.from(`${line}\n`);
    try {
      await handle.appendFile(bytes);
      await handle.datasync();
      size += bytes.length;
    } catch (error) {
      // A disk that was full has perhaps a part of it.
      await handle.truncate(size);
      throw error;
    }
  };

  return {
    append: (line) => {
      const next = running.then(() => write(line));
      running = next.catch(() => undefined);
      return next;
    },
    close: async () => {
      await running;
      await handle.close();
    },
  };
}

/** The whole lines after `from`, oldest first. Lines that the runtime has not written are passed over. */
export async function* readJournal(dir: string, from: number): AsyncGenerator<JournalLine> {
  const segments = listSegments(dir);
  for (const [index, { path, offset }] of segments.entries()) {
    const next = segments[index + 1];
    if (next && next.offset <= from) continue;
    const start = Math.max(0, from - offset);
    // Removed meanwhile: it is in the store.
    const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    if (size > start) yield* readLines(path, start, size, offset);
  }
}

/** The whole lines of a file between two bytes; `base` is added to their ends. */
export async function* readLines(
  path: string,
  start: number,
  end: number,
  base = 0,
): AsyncGenerator<JournalLine> {
  if (end <= start) return;
  let rest: Buffer = Buffer.alloc(0);
  let at = start;
  for await (const chunk of createReadStream(path, { start, end: end - 1 }) as AsyncIterable<Buffer>) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let from = 0;
    for (let newline = bytes.indexOf(10); newline >= 0; newline = bytes.indexOf(10, from)) {
      yield { text: bytes.toString('utf8', from, newline), end: base + at + newline + 1 };
      from = newline + 1;
    }
    at += from;
    rest = bytes.subarray(from);
    if (rest.length > MAX_LINE) throw new Error(`${path} has a line of more than ${MAX_LINE} bytes`);
  }
}

/** Where the journal ends now; undefined: there is none. */
export function journalEnd(dir: string): number | undefined {
  const last = listSegments(dir).at(-1);
  return last && last.offset + (statSync(last.path, { throwIfNoEntry: false })?.size ?? 0);
}

/** The segments that hold nothing after `offset`, except the one that is written. */
export async function forgetBefore(dir: string, offset: number): Promise<void> {
  const segments = listSegments(dir);
  for (const [index, { path }] of segments.entries()) {
    const next = segments[index + 1];
    if (next && next.offset <= offset) await rm(path, { force: true });
  }
}

function segmentPath(dir: string, offset: number): string {
  return join(dir, `${String(offset).padStart(15, '0')}.ndjson`);
}

async function openSegment(dir: string, offset: number): Promise<FileHandle> {
  const file = await open(segmentPath(dir, offset), 'a', 0o640);
  try {
    await syncFolder(dir);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** A new name outlives a power cut only so. */
async function syncFolder(dir: string): Promise<void> {
  const folder = await open(dir, 'r');
  await folder.sync().finally(() => folder.close());
}
