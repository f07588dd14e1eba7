import { hash as digest } from 'node:crypto';
import { isRuntimeError, RuntimeError } from '../../../base/errors.ts';
import { getBytes } from '../../../store/readAll.ts';
import { blobOf, unpack } from '../format/blob.ts';
import type { BlobTable, Frame } from '../format/blobTable.ts';
import type { StateContext } from '../format/context.ts';
import { keys, MANIFEST_LIMIT_BYTES } from '../format/format.ts';
import type { Head, SnapshotRecord } from '../format/head.ts';
import { inlineBlob } from '../read/inlineBlob.ts';
import { inParallel } from '../read/inParallel.ts';
import { type LoadedSnapshot, loadSnapshot, readManifest } from '../read/loadSnapshot.ts';
import { requireHead } from '../read/snapshots.ts';

/*
 * The room of the history: the kept snapshots, for people and for pruning.
 *
 *   showSnapshot, diffSnapshots   what is in one, what differs between two
 *   verify                        reads every object that a kept snapshot needs, and checks each byte
 *   prune                         deletes what no kept snapshot names and what is old enough: listing first, then the head
 *   publishAgain                  makes an older snapshot the newest, as one more
 *   recover                       makes a head where it is gone or damaged, from the newest manifests of which all is there
 */

export interface VerifyOptions {
  readonly signal: AbortSignal;
  readonly onProgress?:
    | ((progress: { readonly bytes: number; readonly totalBytes: number }) => void)
    | undefined;
}

export interface VerifyReport {
  readonly snapshots: number;
  readonly packs: number;
  readonly bytes: number;
  readonly problems: readonly Problem[];
}

export interface Problem {
  /** The object. */
  readonly key: string;
  readonly problem: string;
  /** Sequences of the snapshots that need it. */
  readonly snapshots: readonly number[];
}

interface NeededPack {
  readonly size: number;
  readonly snapshots: Set<number>;
  readonly frames: Map<string, NeededFrame>;
}

interface NeededFrame {
  readonly frame: Frame;
  readonly blobs: Map<string, { readonly hash: Buffer; readonly size: number; readonly position: number }>;
}

const PACKS_AT_ONCE = 2;

/**
 * Reads every object that a kept snapshot needs and checks each byte against its hash. A damaged or missing object is
 * a problem in the report; a store that does not answer is an error.
 */
export async function verify(
  context: StateContext,
  { signal, onProgress }: VerifyOptions,
): Promise<VerifyReport> {
  const head = await requireHead(context, signal);
  const problems: Problem[] = [];
  const needed = new Map<string, NeededPack>();
  for (const record of head.snapshots) {
    const key =
      record.manifest === undefined ? keys.head(context.bot) : keys.manifest(context.bot, record.manifest);
    await attempt(problems, key, [record.sequence], () => collect(context, head, record, needed, signal));
  }
  const totalBytes = [...needed.values()].reduce((sum, { size }) => sum + size, 0);
  let bytes = 0;
  await inParallel(PACKS_AT_ONCE, needed, signal, async ([hash, pack], either) => {
    const key = keys.pack(context.bot, hash);
    await attempt(problems, key, [...pack.snapshots], () => checkPack(context, hash, pack, either));
    bytes += pack.size;
    onProgress?.({ bytes, totalBytes });
  });
  return { snapshots: head.snapshots.length, packs: needed.size, bytes, problems };
}

async function attempt(
  problems: Problem[],
  key: string,
  snapshots: readonly number[],
  check: () => Promise<void>,
): Promise<void> {
  try {
    await check();
  } catch (error) {
    if (!isRuntimeError(error, 'damaged', 'not-found')) throw error;
    const problem = error.code === 'not-found' ? 'missing' : error.message;
    problems.push({ key, problem, snapshots });
  }
}

async function collect(
  context: StateContext,
  head: Head,
  record: SnapshotRecord,
  needed: Map<string, NeededPack>,
  signal: AbortSignal,
): Promise<void> {
  if (record.manifest !== undefined) {
    const manifest = await readManifest(context, record.manifest, signal);
    for (const [hash, size] of manifest.packs) {
      const pack = needed.get(hash) ?? { size, snapshots: new Set(), frames: new Map() };
      pack.snapshots.add(record.sequence);
      needed.set(hash, pack);
    }
  }
  let snapshot: LoadedSnapshot;
  try {
    snapshot = await loadSnapshot(context, record, signal);
  } catch (error) {
    // Where its packs are damaged, that is found and named when they are read.
    if (record.manifest !== undefined && isRuntimeError(error, 'damaged')) return;
    throw error;
  }
  const { table } = snapshot;
  for (let row = 0; row < table.length; row++) {
    const frame = table.frame(row);
    if (frame) need(needed.get(table.packs[frame.pack]!.hash)!, frame, table, row);
    else inlineBlob(context, table, row, head.blobs);
  }
}

function need({ frames }: NeededPack, frame: Frame, table: BlobTable, row: number): void {
  const place = `${frame.offset} ${frame.stored} ${frame.size}`;
  const known = frames.get(place) ?? { frame, blobs: new Map() };
  frames.set(place, known);
  const position = table.position(row);
  const hash = table.hash(row);
  known.blobs.set(`${position} ${hash.toString('hex')}`, { hash, size: table.size(row), position });
}

async function checkPack(
  { store, bot }: StateContext,
  hash: string,
  { size, frames }: NeededPack,
  signal: AbortSignal,
): Promise<void> {
  const key = keys.pack(bot, hash);
  const { bytes } = await getBytes(store, key, { maxBytes: 2 * MANIFEST_LIMIT_BYTES, signal });
  if (bytes.length !== size || digest('sha256', bytes) !== hash) {
    throw new RuntimeError('damaged', 'its bytes are not what they were', { op: 'state.verify', path: key });
  }
  for (const { frame, blobs } of frames.values()) {
    const stored = bytes.subarray(frame.offset, frame.offset + frame.stored);
    const unpacked = unpack(stored, frame.size, key);
    for (const blob of blobs.values()) blobOf(unpacked, blob, key);
  }
}
