import { collectAsItComes } from '../../../base/collectAsItComes.ts';
import { RuntimeError } from '../../../base/errors.ts';
import { isMemoryTight } from '../../../base/isMemoryTight.ts';
import { blobOf, unpack } from '../format/blob.ts';
import type { BlobTable, Frame, Pack } from '../format/blobTable.ts';
import type { StateContext } from '../format/context.ts';
import { keys } from '../format/format.ts';
import { inParallel } from './inParallel.ts';

export interface FetchOptions {
  readonly signal: AbortSignal;
}

/** How much is held at a time. */
interface Window {
  readonly rangesAtOnce: number;
  readonly rangeBytes: number;
}

const wide: Window = { rangesAtOnce: 4, rangeBytes: 4 * 1024 * 1024 };
/** Two threads hold one each, and what they unpack. */
const forTwo: Window = { rangesAtOnce: 4, rangeBytes: 2 * 1024 * 1024 };
const narrow: Window = { rangesAtOnce: 1, rangeBytes: 512 * 1024 };
/** The most bytes between two blobs that are read along, because that costs less than a second request. */
const GAP_BYTES = 64 * 1024;

/**
 * Reads the blobs of `rows`, which all lie in packs, by ranges of these, several at once; `receive` gets each, verified.
 * The bytes are its own until it returns, no longer.
 */
export async function fetchBlobs(
  context: StateContext,
  table: BlobTable,
  rows: Iterable<number>,
  receive: (row: number, bytes: Buffer) => void,
  { signal }: FetchOptions,
): Promise<void> {
  const use = (range: Range, bytes: Buffer) => unpackRange(context, table, range, bytes, receive);
  await fetchRanges(context, table, rows, use, { signal, isShared: false });
}

/**
 * The ranges in which the blobs of `rows` lie, as they are stored. The bytes are the user's own until its promise is settled; with
 * `isShared` they begin a `SharedArrayBuffer`.
 */
export async function fetchRanges(
  context: StateContext,
  table: BlobTable,
  rows: Iterable<number>,
  use: (range: Range, bytes: Buffer) => Promise<void> | void,
  { signal, isShared }: FetchOptions & { readonly isShared: boolean },
): Promise<void> {
  const window = isMemoryTight() ? narrow : isShared ? forTwo : wide;
  const passed = collectAsItComes();
  const ranges = planRanges(table, rows, window.rangeBytes);
  const longest = ranges.reduce((most, { start, end }) => Math.max(most, end - start), 0);
  const buffers: Buffer[] = [];
  const room = () =>
    isShared ? Buffer.from(new SharedArrayBuffer(longest)) : Buffer.allocUnsafeSlow(longest);
  await inParallel(window.rangesAtOnce, ranges, signal, async (range, aborted) => {
    const buffer = buffers.pop() ?? room();
    const bytes = await fetchRange(context, range, buffer, aborted);
    await use(range, bytes);
    buffers.push(buffer);
    passed(bytes.length);
  });
}

/** The blobs of a range that was fetched, verified. */
export function unpackRange(
  { bot }: StateContext,
  table: BlobTable,
  range: Range,
  bytes: Buffer,
  receive: (row: number, bytes: Buffer) => void,
): void {
  const where = keys.pack(bot, range.pack.hash);
  for (const { frame, rows } of range.frames) {
    const at = frame.offset - range.start;
    const unpacked = unpack(bytes.subarray(at, at + frame.stored), frame.size, where);
    for (const row of rows) {
      const blob = { position: table.position(row), size: table.size(row), hash: table.hash(row) };
      receive(row, blobOf(unpacked, blob, where));
    }
  }
}

export interface Range {
  readonly pack: Pack;
  readonly start: number;
  end: number;
  readonly frames: Wanted[];
}

interface Wanted {
  readonly frame: Frame;
  readonly rows: number[];
}

/** Ranges of packs that hold the blobs of `rows`, each short enough to be held in memory. */
export function planRanges(table: BlobTable, rows: Iterable<number>, rangeBytes = wide.rangeBytes): Range[] {
  const wanted = new Map<Frame, Wanted>();
  for (const row of rows) {
    const frame = table.frame(row)!;
    const known = wanted.get(frame);
    if (known) known.rows.push(row);
    else wanted.set(frame, { frame, rows: [row] });
  }
  const ranges: Range[] = [];
  for (const [pack, frames] of Map.groupBy(wanted.values(), ({ frame }) => frame.pack)) {
    frames.sort((a, b) => a.frame.offset - b.frame.offset);
    let open: Range | undefined;
    for (const { frame, rows } of frames) {
      const end = frame.offset + frame.stored;
      if (!open || frame.offset > open.end + GAP_BYTES || end - open.start > rangeBytes) {
        open = { pack: table.packs[pack]!, start: frame.offset, end, frames: [] };
        ranges.push(open);
      }
      open.end = Math.max(open.end, end);
      open.frames.push({ frame, rows });
    }
  }
  return ranges;
}

/** The bytes of a range, in `buffer`. */
async function fetchRange(
  { store, bot }: StateContext,
  { pack, start, end }: Range,
  buffer: Buffer,
  signal: AbortSignal,
): Promise<Buffer> {
  const key = keys.pack(bot, pack.hash);
  const damaged = (why: string) =>
    new RuntimeError('damaged', `${key} ${why}`, { op: 'state.read', path: key });
  if (end > pack.size) throw damaged('is said to hold more than it can');
  const { body, size } = await store.get(key, { range: { start, end }, signal });
  const bytes = buffer.subarray(0, end - start);
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    if (size !== pack.size || length + chunk.length > bytes.length) break;
    length += chunk.copy(bytes, length);
  }
  if (size !== pack.size) throw damaged(`has ${size} bytes instead of ${pack.size}`);
  if (length !== bytes.length) throw damaged('is not as long as it says');
  return bytes;
}
