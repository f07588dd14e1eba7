import { hash as digest } from 'node:crypto';
import { isRuntimeError, RuntimeError } from '../errors.ts';
import { getBytes } from '../store/readAll.ts';
import { decodeBlob } from './blob.ts';
import type { StateContext } from './context.ts';
import { blockSize, keys, MANIFEST_LIMIT_BYTES } from './format.ts';
import type { Head, SnapshotRecord } from './head.ts';
import { inParallel } from './inParallel.ts';
import { type LoadedSnapshot, loadSnapshot, readManifest } from './loadSnapshot.ts';
import { requireHead } from './snapshots.ts';

export interface VerifyOptions {
  readonly signal: AbortSignal;
  readonly onProgress?:
    | ((progress: { readonly packs: number; readonly totalPacks: number }) => void)
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
  /** By offset. */
  readonly blobs: Map<number, { readonly hash: Buffer; readonly stored: number; readonly size: number }>;
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
  let packs = 0;
  let bytes = 0;
  await inParallel(PACKS_AT_ONCE, needed, signal, async ([hash, pack], either) => {
    const key = keys.pack(context.bot, hash);
    await attempt(problems, key, [...pack.snapshots], () => checkPack(context, hash, pack, either));
    bytes += pack.size;
    onProgress?.({ packs: ++packs, totalPacks: needed.size });
  });
  return { snapshots: head.snapshots.length, packs, bytes, problems };
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
      const pack = needed.get(hash) ?? { size, snapshots: new Set(), blobs: new Map() };
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
  const { tree, table } = snapshot;
  for (let i = 0; i < tree.length; i++) {
    let block = 0;
    for (const row of tree.blobs(i)) {
      const blob = { hash: table.hash(row), stored: table.stored(row), size: blockSize(tree.size(i), block) };
      block += row < 0 ? -row : 1;
      if (row < 0) continue;
      const pack = table.pack(row);
      if (pack !== undefined) needed.get(table.packs[pack]!.hash)!.blobs.set(table.offset(row), blob);
      else checkInline(context, head, blob);
    }
  }
}

function checkInline({ bot }: StateContext, head: Head, blob: { hash: Buffer; size: number }): void {
  const stored = Buffer.from(head.blobs[blob.hash.toString('hex')] ?? '', 'base64');
  decodeBlob(stored, blob, keys.head(bot));
}

async function checkPack(
  { store, bot }: StateContext,
  hash: string,
  { size, blobs }: NeededPack,
  signal: AbortSignal,
): Promise<void> {
  const key = keys.pack(bot, hash);
  const { bytes } = await getBytes(store, key, { maxBytes: 2 * MANIFEST_LIMIT_BYTES, signal });
  if (bytes.length !== size || digest('sha256', bytes) !== hash) {
    throw new RuntimeError('damaged', 'its bytes are not what they were', { op: 'state.verify', path: key });
  }
  for (const [offset, blob] of blobs) decodeBlob(bytes.subarray(offset, offset + blob.stored), blob, key);
}
