/*
 * The room of the format: what is in the store (docs/state-format.md), in code. Nothing here reads or writes anything.
 *
 *   head       the one object that changes: generation, holder, the snapshots that are kept; small states whole (`head.ts`)
 *   manifest   the root of a snapshot: which packs it needs, and where its segments lie (`manifest.ts`)
 *   segment    a run of entries, stored as a blob (`segments.ts`, `entryRow.ts`)
 *   blob       a block of a file, or a segment, known by its hash (`blob.ts`)
 *   frame      blobs one after the other, compressed as one (`frameRow.ts`); a pack is a file of frames
 *
 * In memory a snapshot is a `Tree`, whose entries name blobs by rows of a `BlobTable`, which knows where each lies. Paths are bytes
 * (`entryPath.ts`). What comes from outside is checked where it is decoded, and as a whole by `checkTree`.
 */

/** Version of everything under `<bot>/`; a reader refuses any other. */
export const FORMAT = 1;

/** Files are cut into blocks of this size. Databases rewrite blocks in place, logs append: both deduplicate. */
export const BLOCK_BYTES = 1024 * 1024;

/** A pack is sealed once it holds this much. */
export const PACK_BYTES = 8 * 1024 * 1024;

/** A state whose files hold fewer bytes than this lives inside the head. */
export const INLINE_BYTES = 64 * 1024;

/** … and has at most this many entries. */
export const INLINE_ENTRIES = 256;

/** Before the head would be longer, its inline snapshots move to objects of their own. */
export const HEAD_BYTES = 192 * 1024;

/** A head longer than this is refused unread. */
export const HEAD_LIMIT_BYTES = 4 * 1024 * 1024;

/** Limits on what a manifest and one of its segments may unpack to. */
export const MANIFEST_LIMIT_BYTES = 64 * 1024 * 1024;

/** The largest distance of a time in a manifest from 1970, µs: the year 2540. From 2^53 on a number can be even only. */
export const MAX_TIME_US = 2 ** 54;

/** A file with more blocks on the disk has an entry that is longer than a reader takes (`MANIFEST_LIMIT_BYTES`). */
export const DENSE_BLOCKS = 512 * 1024;

/** Top-level name inside a state directory that belongs to the runtime and is never part of the state. */
export const RESERVED_NAME = '.runtime-sync';

export const keys = {
  head: (bot: string) => `${bot}/head`,
  manifest: (bot: string, name: string) => `${bot}/manifests/${name}`,
  manifests: (bot: string) => `${bot}/manifests/`,
  pack: (bot: string, hash: string) => `${bot}/packs/${hash}`,
  packs: (bot: string) => `${bot}/packs/`,
  /** The object of the older format. */
  legacy: (bot: string) => `${bot}/state.tar.gz`,
} as const;

export const isHash = (text: string): boolean => /^[0-9a-f]{64}$/.test(text);

/** Number of blocks of a file of `size` bytes. */
export const blockCount = (size: number): number => Math.ceil(size / BLOCK_BYTES);

/** Bytes of block `index` of a file of `size` bytes. */
export const blockSize = (size: number, index: number): number =>
  Math.min(BLOCK_BYTES, size - index * BLOCK_BYTES);
