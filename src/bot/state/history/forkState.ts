import { isRuntimeError, RuntimeError } from '../../../base/errors.ts';
import type { StateContext } from '../format/context.ts';
import { FORMAT, keys } from '../format/format.ts';
import { encodeHead, type Head, type SnapshotRecord } from '../format/head.ts';
import { usedBlobs } from '../publish/inlineSnapshot.ts';
import { Uploads } from '../publish/uploads.ts';
import { writeLoaded } from '../publish/writeLoaded.ts';
import { findHead } from '../read/findHead.ts';
import { inParallel } from '../read/inParallel.ts';
import { loadSnapshot } from '../read/loadSnapshot.ts';
import { lookAgain } from '../read/lookAgain.ts';
import { readHead } from '../read/readHead.ts';
import { findSnapshot, requireHead } from '../read/snapshots.ts';

export interface ForkOptions {
  /** Whose state it begins with. */
  readonly from: string;
  /** Undefined: the newest snapshot; of a bot that has none, the fork has none either. */
  readonly sequence: number | undefined;
  readonly signal: AbortSignal;
}

const COPIES_AT_ONCE = 8;

/**
 * Gives a bot that has no state yet (`context`) a snapshot of another as its first. The store copies the packs by itself: a bot's keys
 * open its own objects alone, and what the other one prunes must not be missing here. Then the manifest, and the head last: cut off before that,
 * the next call does the rest. Where the bot has a head, nothing changes. Throws `not-found` and `damaged`.
 */
export async function forkState(
  context: StateContext,
  { from, sequence, signal }: ForkOptions,
): Promise<{ readonly sequence: number }> {
  const { store, bot, clock } = context;
  const before = await readHead(context, signal);
  if (before !== undefined) return { sequence: before.head.sequence };
  const source = { ...context, bot: from };
  const head = await (sequence === undefined
    ? findHead(source, signal).then(({ stored }) => stored?.head)
    : requireHead(source, signal));
  if (head === undefined || (sequence === undefined && head.snapshots.length === 0)) return { sequence: 0 };
  const original = findSnapshot(head, sequence);
  const loaded = await lookAgain(source, () => loadSnapshot(source, original, signal), signal);

  const { manifest: _, entries, ...facts } = original;
  const createdAt = new Date(clock.now()).toISOString();
  const first = { ...facts, sequence: 1, generation: 1, createdAt };
  let record: SnapshotRecord = { ...first, entries };
  if (loaded.manifest !== undefined) {
    await copyPacks(context, from, loaded.manifest.packs, signal);
    const uploads = new Uploads(context);
    record = await writeLoaded({ ...context, uploads }, first, loaded, signal);
    await uploads.confirm(signal);
  }
  const next: Head = {
    format: FORMAT,
    bot,
    generation: 1,
    holder: `fork of ${from}`,
    sequence: 1,
    updatedAt: createdAt,
    legacy: false,
    snapshots: [record],
    blobs: usedBlobs([record], head.blobs),
  };
  try {
    await store.put(keys.head(bot), encodeHead(next), { ifNoneMatch: '*', signal });
  } catch (error) {
    // Somebody else has made the same fork at the same time.
    if (!isRuntimeError(error, 'conflict')) throw error;
  }
  return { sequence: 1 };
}

async function copyPacks(
  { store, bot }: StateContext,
  from: string,
  packs: readonly (readonly [hash: string, size: number, ...unknown[]])[],
  signal: AbortSignal,
): Promise<void> {
  await inParallel(COPIES_AT_ONCE, packs, signal, async ([hash, size], either) => {
    const [original, key] = [keys.pack(from, hash), keys.pack(bot, hash)];
    await store.copy(original, key, { signal: either }).catch((error: unknown) => {
      throw isRuntimeError(error, 'not-found') ? damaged(original, 'is missing', error) : error;
    });
    const copy = await store.head(key, { signal: either });
    if (copy.size !== size) throw damaged(original, `has ${copy.size} bytes instead of ${size}`);
  });
}

function damaged(key: string, why: string, cause?: unknown): RuntimeError {
  return new RuntimeError('damaged', `${key} ${why}`, {
    op: 'state.fork',
    path: key,
    hint: '`runtime state verify` says which snapshots are whole.',
    cause,
  });
}
