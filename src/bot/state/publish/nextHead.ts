import { isRuntimeError } from '../../../base/errors.ts';
import { HEAD_BYTES } from '../format/format.ts';
import { encodeHead, type Head, type SnapshotRecord } from '../format/head.ts';
import { loadSnapshot } from '../read/loadSnapshot.ts';
import { packInline, usedBlobs } from './inlineSnapshot.ts';
import type { PublishContext } from './uploads.ts';
import { writeLoaded } from './writeLoaded.ts';

export interface Addition {
  readonly record: SnapshotRecord;
  /** Blobs that an inline snapshot adds to the head's table. */
  readonly blobs: Head['blobs'];
  /** How many snapshots the head is to name. */
  readonly keep: number;
}

/**
 * The head with one more snapshot and without those that are too many. Where it would become too long, its oldest
 * inline snapshots move to objects of their own; those are in the store when this resolves.
 */
export async function nextHead(
  context: PublishContext,
  head: Head,
  { record, blobs, keep }: Addition,
  signal: AbortSignal,
): Promise<Head> {
  let snapshots = [...head.snapshots, record].slice(-keep);
  const all = { ...head.blobs, ...blobs };
  const assemble = (): Head => ({
    ...head,
    sequence: record.sequence,
    updatedAt: record.createdAt,
    snapshots,
    blobs: usedBlobs(snapshots, all),
  });
  let next = assemble();
  for (const oldest of snapshots) {
    if (encodeHead(next).length <= HEAD_BYTES) break;
    if (!oldest.entries) continue;
    const spilled = await spill(context, oldest, all, signal).catch((error: unknown) => {
      if (oldest === record || !isRuntimeError(error, 'damaged')) throw error;
      const what = `snapshot ${oldest.sequence} is damaged and cannot be kept any longer`;
      context.warn(what, { snapshot: oldest.sequence, reason: error.message });
      return [];
    });
    snapshots = snapshots.flatMap((snapshot) => (snapshot === oldest ? spilled : snapshot));
    next = assemble();
  }
  return next;
}

/** Writes an inline snapshot as manifest and pack; its record then names the manifest. */
async function spill(
  context: PublishContext,
  { entries, ...facts }: SnapshotRecord,
  blobs: Head['blobs'],
  signal: AbortSignal,
): Promise<SnapshotRecord> {
  const loaded = await loadSnapshot(context, { ...facts, entries }, signal);
  return await writeLoaded(context, facts, loaded, signal, (writer) =>
    packInline(context, loaded, blobs, writer),
  );
}
