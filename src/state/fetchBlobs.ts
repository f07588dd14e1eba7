import { RuntimeError } from '../errors.ts';
import { decodeBlob } from './blob.ts';
import type { Pack } from './blobTable.ts';
import type { StateContext } from './context.ts';
import { keys } from './format.ts';
import { inParallel } from './inParallel.ts';

/** A blob that lies in a pack. */
export interface PlacedBlob {
  readonly hash: Buffer;
  readonly pack: Pack;
  readonly offset: number;
  /** Bytes in the pack; bytes that they unpack to. */
  readonly stored: number;
  readonly size: number;
}

export interface FetchOptions {
  readonly signal: AbortSignal;
}

const RANGES_AT_ONCE = 4;
const RANGE_BYTES = 4 * 1024 * 1024;
/** Bytes that nobody asked for, read rather than asking twice. */
const GAP_BYTES = 64 * 1024;

/**
 * Reads blobs by ranges of their packs, several at once; `receive` gets each, verified. The bytes are its own until what
 * it returns has resolved, no longer.
 */
export async function fetchBlobs<T extends PlacedBlob>(
  context: StateContext,
  blobs: readonly T[],
  receive: (blob: T, bytes: Buffer) => void | Promise<void>,
  { signal }: FetchOptions,
): Promise<void> {
  const totalBytes = blobs.reduce((sum, blob) => sum + blob.stored + GAP_BYTES, 0);
  const buffers: Buffer[] = [];
  await inParallel(RANGES_AT_ONCE, planRanges(blobs), signal, async (range, aborted) => {
    const buffer = buffers.pop() ?? Buffer.allocUnsafeSlow(Math.min(RANGE_BYTES, totalBytes));
    const bytes = await fetchRange(context, range, buffer, aborted);
    for (const blob of range.blobs) {
      const at = blob.offset - range.start;
      const where = keys.pack(context.bot, range.pack.hash);
      await receive(blob, decodeBlob(bytes.subarray(at, at + blob.stored), blob, where));
    }
    buffers.push(buffer);
  });
}

interface Range<T> {
  readonly pack: Pack;
  readonly start: number;
  end: number;
  readonly blobs: T[];
}

/** Ranges of packs that hold `blobs`, each short enough to be held in memory. */
export function planRanges<T extends PlacedBlob>(blobs: readonly T[]): Range<T>[] {
  const byPack = new Map<string, T[]>();
  for (const blob of blobs) {
    const list = byPack.get(blob.pack.hash);
    if (list) list.push(blob);
    else byPack.set(blob.pack.hash, [blob]);
  }
  const ranges: Range<T>[] = [];
  for (const list of byPack.values()) {
    list.sort((a, b) => a.offset - b.offset);
    let open: Range<T> | undefined;
    for (const blob of list) {
      const end = blob.offset + blob.stored;
      if (!open || blob.offset > open.end + GAP_BYTES || end - open.start > RANGE_BYTES) {
        open = { pack: blob.pack, start: blob.offset, end, blobs: [] };
        ranges.push(open);
      }
      open.end = Math.max(open.end, end);
      open.blobs.push(blob);
    }
  }
  return ranges;
}

/** The bytes of a range, in `buffer` where it is large enough. */
async function fetchRange(
  { store, bot }: StateContext,
  { pack, start, end }: Range<PlacedBlob>,
  buffer: Buffer,
  signal: AbortSignal,
): Promise<Buffer> {
  const key = keys.pack(bot, pack.hash);
  const damaged = (why: string) =>
    new RuntimeError('damaged', `${key} ${why}`, { op: 'state.read', path: key });
  if (end > pack.size) throw damaged('is said to hold more than it can');
  const { body, size } = await store.get(key, { range: { start, end }, signal });
  const bytes =
    end - start > buffer.length ? Buffer.allocUnsafeSlow(end - start) : buffer.subarray(0, end - start);
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    if (size !== pack.size || length + chunk.length > bytes.length) break;
    length += chunk.copy(bytes, length);
  }
  if (size !== pack.size) throw damaged(`has ${size} bytes instead of ${pack.size}`);
  if (length !== bytes.length) throw damaged('is not as long as it says');
  return bytes;
}
