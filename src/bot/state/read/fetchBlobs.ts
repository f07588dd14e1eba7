import { collectAsItComes } from '../../../base/collectAsItComes.ts';
import { isRuntimeError, RuntimeError } from '../../../base/errors.ts';
import { isMemoryTight } from '../../../base/isMemoryTight.ts';
import { readInto } from '../../../store/readInto.ts';
import { blobOf, unpack } from '../format/blob.ts';
import type { BlobTable, Frame, Pack } from '../format/blobTable.ts';
import type { StateContext } from '../format/context.ts';
import { keys } from '../format/format.ts';
import { createFrameDecoder } from '../format/frameDecoder.ts';
import { inParallel } from './inParallel.ts';
import { LOOKED_AT, lookAgain } from './lookAgain.ts';

export interface FetchOptions {
  readonly signal: AbortSignal;
}

/** How much is held at a time. */
interface Window {
  readonly requestsAtOnce: number;
  /** What is asked for at a time: each request costs the store a millisecond, and its own start. */
  readonly requestBytes: number;
  /** What is used at a time, while the rest of it is still to come. */
  readonly rangeBytes: number;
}

const MiB = 1024 * 1024;
const wide: Window = { requestsAtOnce: 3, requestBytes: 8 * MiB, rangeBytes: 4 * MiB };
/** Other threads hold what they unpack. */
const forThreads: Window = { requestsAtOnce: 3, requestBytes: 8 * MiB, rangeBytes: 2 * MiB };
const narrow: Window = { requestsAtOnce: 1, requestBytes: 512 * 1024, rangeBytes: 512 * 1024 };
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
  const unpackRange = rangeUnpacker(context, table);
  const use = (range: Range, bytes: Buffer) => unpackRange(range, bytes, receive);
  await fetchRanges(context, table, rows, use, { signal, isShared: false });
}

/**
 * The ranges in which the blobs of `rows` lie, as they are stored. The bytes are the user's own until its promise is settled; with
 * `isShared` they lie in a `SharedArrayBuffer`. One whose use fails for damage is fetched again, with the frames that are left in it.
 */
export async function fetchRanges(
  context: StateContext,
  table: BlobTable,
  rows: Iterable<number>,
  use: (range: Range, bytes: Buffer, isAgain: boolean) => Promise<void> | void,
  { signal, isShared }: FetchOptions & { readonly isShared: boolean },
): Promise<void> {
  const window = isMemoryTight() ? narrow : isShared ? forThreads : wide;
  const passed = collectAsItComes();
  const requests = joinRanges(planRanges(table, rows, window.rangeBytes), window.requestBytes);
  const longest = requests.reduce((most, ranges) => Math.max(most, lengthOf(ranges)), 0);
  const buffers: Buffer[] = [];
  const room = () =>
    isShared ? Buffer.from(new SharedArrayBuffer(longest)) : Buffer.allocUnsafeSlow(longest);
  await inParallel(window.requestsAtOnce, requests, signal, async (ranges, aborted) => {
    const buffer = buffers.pop() ?? room();
    const left = new Set(ranges);
    const begun = new Set<Range>();
    const look = async () => {
      const uses: Promise<void>[] = [];
      let failure: { readonly error: unknown } | undefined;
      const used = async (range: Range, bytes: Buffer) => {
        const isAgain = begun.has(range);
        begun.add(range);
        try {
          await use(range, bytes, isAgain);
          left.delete(range);
        } catch (error) {
          failure ??= { error };
        }
      };
      try {
        for await (const { range, bytes } of fetchRequest(context, [...left], buffer, aborted)) {
          uses.push(used(range, bytes));
          if (failure) break;
          passed(bytes.length);
        }
      } finally {
        await Promise.all(uses);
      }
      if (failure) throw failure.error;
    };
    await lookAgain(context, look, aborted, isWrong, LOOKED_AT);
    buffers.push(buffer);
  });
}

/** Each request for itself: of the hundreds that a large state takes, few wrong answers would leave no look at the whole of it without one. */
const isWrong = (error: unknown) => isRuntimeError(error, 'damaged', 'not-found', 'conflict');

export type RangeUnpacker = (
  range: Range,
  bytes: Buffer,
  receive: (row: number, bytes: Buffer) => void,
) => void;

/**
 * For the blobs of ranges that were fetched, verified. The bytes are the receiver's own until it returns. A frame whose blobs it has is taken out of
 * its range: each is received once, however often the range is fetched.
 */
export function rangeUnpacker({ bot }: StateContext, table: BlobTable): RangeUnpacker {
  const decode = createFrameDecoder();
  return (range, bytes, receive) => {
    const where = keys.pack(bot, range.pack.hash);
    for (let next = range.frames[0]; next; next = range.frames[0]) {
      const { frame, rows } = next;
      const at = frame.offset - range.start;
      const stored = bytes.subarray(at, at + frame.stored);
      // What cannot be decoded so says what is wrong.
      const unpacked = decode(stored, frame.size) ?? unpack(stored, frame.size, where);
      const blobs = rows.map((row) => {
        const blob = { position: table.position(row), size: table.size(row), hash: table.hash(row) };
        return blobOf(unpacked, blob, where);
      });
      for (const [index, row] of rows.entries()) receive(row, blobs[index]!);
      range.frames.shift();
    }
  };
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

/** Ranges that follow each other in a pack, together no longer than `requestBytes`, as one request each. */
export function joinRanges(ranges: readonly Range[], requestBytes: number): Range[][] {
  const requests: Range[][] = [];
  for (const range of ranges) {
    const open = requests.at(-1);
    const { pack, start, end } = open ? { ...open.at(-1)!, start: open[0]!.start } : range;
    const follows = open && pack === range.pack && range.start >= end && range.start <= end + GAP_BYTES;
    if (follows && range.end - start <= requestBytes) open.push(range);
    else requests.push([range]);
  }
  return requests;
}

const lengthOf = (ranges: readonly Range[]): number => ranges.at(-1)!.end - ranges[0]!.start;

/** Each of the ranges of a request as soon as its bytes are in `buffer`. */
async function* fetchRequest(
  { store, bot }: StateContext,
  ranges: readonly Range[],
  buffer: Buffer,
  signal: AbortSignal,
): AsyncGenerator<{ readonly range: Range; readonly bytes: Buffer }> {
  const [{ pack, start }] = ranges as [Range];
  const end = start + lengthOf(ranges);
  const key = keys.pack(bot, pack.hash);
  const damaged = (why: string) =>
    new RuntimeError('damaged', `${key} ${why}`, { op: 'state.read', path: key });
  if (end > pack.size) throw damaged('is said to hold more than it can');
  const memory = buffer.subarray(0, end - start);
  const { body, size } = await store.get(key, { range: { start, end }, into: () => memory, signal });
  if (size !== pack.size) {
    body.destroy();
    throw damaged(`has ${size} bytes instead of ${pack.size}`);
  }
  let next = 0;
  for await (const length of readInto({ key, body }, memory)) {
    for (; next < ranges.length && ranges[next]!.end - start <= length; next++) {
      const range = ranges[next]!;
      yield { range, bytes: memory.subarray(range.start - start, range.end - start) };
    }
  }
  if (next < ranges.length) throw damaged('is not as long as it says');
}
