import type { StateContext } from '../format/context.ts';
import { blockSize } from '../format/format.ts';
import type { Head } from '../format/head.ts';
import { fetchBlobs } from './fetchBlobs.ts';
import { inlineBlob } from './inlineBlob.ts';
import type { LoadedSnapshot } from './loadSnapshot.ts';

interface Block {
  readonly index: number;
  /** Undefined: zeros. */
  readonly row: number | undefined;
  readonly size: number;
}

/** Unpacked bytes that are fetched at a time. */
const BATCH_BYTES = 8 * 1024 * 1024;

/** The bytes of all files of a snapshot in walk order, block by block, each verified. */
export async function* readContents(
  context: StateContext,
  snapshot: LoadedSnapshot,
  head: Head,
  signal: AbortSignal,
): AsyncGenerator<{ readonly index: number; readonly bytes: Buffer }> {
  for (const batch of batches(snapshot)) {
    const rows = await fetchRows(context, snapshot, head, batch, signal);
    for (const { index, row, size } of batch) {
      yield { index, bytes: row === undefined ? Buffer.alloc(size) : rows.get(row)! };
    }
  }
}

function* batches(snapshot: LoadedSnapshot): Generator<Block[]> {
  let batch: Block[] = [];
  let bytes = 0;
  for (const block of blocksOf(snapshot)) {
    batch.push(block);
    bytes += block.size;
    if (bytes < BATCH_BYTES) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  yield batch;
}

function* blocksOf({ tree }: LoadedSnapshot): Generator<Block> {
  for (let index = 0; index < tree.length; index++) {
    let block = 0;
    for (const row of tree.blobs(index)) {
      for (let n = row < 0 ? -row : 1; n > 0; n--) {
        yield { index, row: row < 0 ? undefined : row, size: blockSize(tree.size(index), block++) };
      }
    }
  }
}

async function fetchRows(
  context: StateContext,
  { table }: LoadedSnapshot,
  head: Head,
  batch: readonly Block[],
  signal: AbortSignal,
): Promise<Map<number, Buffer>> {
  const found = new Map<number, Buffer>();
  const packed: number[] = [];
  for (const { row } of batch) {
    if (row === undefined || found.has(row)) continue;
    if (table.frame(row)) packed.push(row);
    else found.set(row, inlineBlob(context, table, row, head.blobs));
  }
  const receive = (row: number, bytes: Buffer) => void found.set(row, Buffer.from(bytes));
  await fetchBlobs(context, table, new Set(packed), receive, { signal });
  return found;
}
