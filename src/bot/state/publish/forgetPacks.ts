import type { BlobTable } from '../format/blobTable.ts';

/** A pack smaller than this is small; there should not be many small ones. Bytes. */
const SMALL_BYTES = 1024 * 1024;
const SMALL_PACKS = 24;
const MIN_LIVE_SHARE = 0.5;
/** The most that one publish may upload again, bytes. */
const FORGOTTEN_BYTES = 16 * 1024 * 1024;

/**
 * Repacks by forgetting: treats packs of which little is in use as if the store did not have them, and small packs once there are many.
 * The blobs in use go up again from the local files. Pruning removes the old packs when no kept snapshot names them any more. `live`: bytes
 * in use, by number of the pack.
 */
export function forgetPacks({ packs }: Pick<BlobTable, 'packs'>, live: readonly number[]): Set<number> {
  const used = packs.flatMap((pack, number) =>
    live[number] ? [{ number, size: pack.size, live: live[number]! }] : [],
  );
  const small = used.filter((pack) => pack.size < SMALL_BYTES);
  const sparse = used.filter((pack) => pack.size >= SMALL_BYTES && pack.live < pack.size * MIN_LIVE_SHARE);
  const candidates = [...(small.length > SMALL_PACKS ? small : []), ...sparse].sort(
    (a, b) => a.live - b.live,
  );
  const forgotten = new Set<number>();
  let bytes = 0;
  for (const pack of candidates) {
    bytes += pack.live;
    if (bytes > FORGOTTEN_BYTES) break;
    forgotten.add(pack.number);
  }
  return forgotten;
}
