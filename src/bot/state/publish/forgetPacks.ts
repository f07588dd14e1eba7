import type { BlobTable } from '../format/blobTable.ts';

/** A pack smaller than this is one of the small ones, of which there should not be many. */
const SMALL_BYTES = 1024 * 1024;
const SMALL_PACKS = 24;
const MIN_LIVE_SHARE = 0.5;
/** How much may have to be uploaded again in one publish. */
const FORGOTTEN_BYTES = 16 * 1024 * 1024;

/**
 * Repacking by forgetting: packs of which little is still in use, and small ones once there are many, are treated as if
 * the store did not have them. What is in use of them goes up again from the local files; when no kept snapshot
 * names them any more, pruning removes them. `live`: bytes in use, by number of the pack.
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
