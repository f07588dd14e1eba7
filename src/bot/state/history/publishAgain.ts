import { isRuntimeError, RuntimeError } from '../../../base/errors.ts';
import type { StateContext } from '../format/context.ts';
import { keys } from '../format/format.ts';
import { encodeHead, type Head, type SnapshotRecord } from '../format/head.ts';
import { nextHead } from '../publish/nextHead.ts';
import { Uploads } from '../publish/uploads.ts';
import { writeLoaded } from '../publish/writeLoaded.ts';
import { inParallel } from '../read/inParallel.ts';
import { type LoadedSnapshot, loadSnapshot } from '../read/loadSnapshot.ts';
import { readHead } from '../read/readHead.ts';
import { findSnapshot, requireHead } from '../read/snapshots.ts';

export interface PublishAgainOptions {
  /** The snapshot that becomes the newest again, under a sequence of its own. */
  readonly sequence: number;
  /** Who publishes it: a second call of the same holder, after one that was cut off, changes nothing. */
  readonly holder: string;
  readonly signal: AbortSignal;
}

const LOOKS_AT_ONCE = 8;

/**
 * Makes an older snapshot the newest by one write of the head. The same write takes the next generation: the instance that has the bot is
 * fenced, and every tree on a disk is older than the saved state. No snapshot leaves the history. Throws
 * `not-found` and `damaged` before anything is written, and `conflict` where somebody else has moved the head meanwhile.
 */
export async function publishAgain(
  context: StateContext,
  { sequence, holder, signal }: PublishAgainOptions,
): Promise<SnapshotRecord> {
  const { store, bot, clock } = context;
  const stored = await readHead(context, signal);
  const head = stored?.head ?? (await requireHead(context, signal));
  const newest = head.snapshots.at(-1);
  if (head.holder === holder && newest !== undefined) return newest;
  const old = findSnapshot(head, sequence);
  const loaded = await loadSnapshot(context, old, signal);
  await requirePacks(context, loaded, signal);

  const updatedAt = new Date(clock.now()).toISOString();
  const { manifest: _, entries, ...before } = old;
  const generation = head.generation + 1;
  const facts = { ...before, sequence: head.sequence + 1, generation, createdAt: updatedAt };
  const uploads = new Uploads(context);
  const writing = { ...context, uploads };
  const isInHead = loaded.manifest === undefined;
  const record = isInHead ? { ...facts, entries } : await writeLoaded(writing, facts, loaded, signal);
  const taken: Head = { ...head, generation, holder };
  const keep = head.snapshots.length + 1;
  const next = await nextHead(writing, taken, { record, blobs: {}, keep }, signal);
  await uploads.confirm(signal);
  await store.put(keys.head(bot), encodeHead(next), { ifMatch: stored!.etag, signal });
  return record;
}

/** Checks that all objects of the snapshot are there. Nothing else looks at an old snapshot before it is restored. */
async function requirePacks(
  { store, bot }: StateContext,
  { manifest }: LoadedSnapshot,
  signal: AbortSignal,
): Promise<void> {
  await inParallel(LOOKS_AT_ONCE, manifest?.packs ?? [], signal, async ([hash, size], either) => {
    const key = keys.pack(bot, hash);
    const found = await store.head(key, { signal: either }).catch((error: unknown) => {
      if (isRuntimeError(error, 'not-found')) return undefined;
      throw error;
    });
    if (found?.size === size) return;
    throw new RuntimeError('damaged', `${key} is ${found ? 'not as long as it was' : 'missing'}`, {
      op: 'state.publishAgain',
      path: key,
      hint: '`runtime state verify` says which snapshots are whole.',
    });
  });
}
