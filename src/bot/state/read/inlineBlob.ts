import { blobOf, unpack } from '../format/blob.ts';
import type { BlobTable } from '../format/blobTable.ts';
import type { StateContext } from '../format/context.ts';
import { keys } from '../format/format.ts';
import type { Head } from '../format/head.ts';

/** A blob from the head's table. Throws `damaged`, also when it is not there. */
export function inlineBlob(
  { bot }: StateContext,
  table: BlobTable,
  row: number,
  blobs: Head['blobs'],
): Buffer {
  const hash = table.hash(row);
  const stored = Buffer.from(blobs[hash.toString('hex')] ?? '', 'base64');
  const size = table.size(row);
  const where = keys.head(bot);
  return blobOf(unpack(stored, size, where), { position: 0, size, hash }, where);
}
