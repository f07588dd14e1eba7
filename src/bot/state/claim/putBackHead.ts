import { isRuntimeError } from '../../../base/errors.ts';
import type { StateContext } from '../format/context.ts';
import { keys } from '../format/format.ts';
import { encodeHead, type Head, type SnapshotRecord } from '../format/head.ts';
import { readManifest } from '../read/loadSnapshot.ts';
import { fenced } from './claim.ts';

/**
 * Writes the head of a running instance again where the store says that there is none. The store has lost it: no instance removes a head.
 * The new head names those snapshots of the remembered one that are whole, as more than the head may be gone. Throws `fenced` where a
 * newer generation has left a manifest, and `conflict` where another instance is faster.
 */
export async function putBackHead(context: StateContext, held: Head, signal: AbortSignal): Promise<void> {
  const { store, bot, clock, warn } = context;
  const objects = await listObjects(context, signal);
  for (const key of objects.keys()) {
    const [, name, sequence] = /\/manifests\/((\d+)-[0-9a-f]{64})$/.exec(key) ?? [];
    if (name === undefined || Number(sequence) <= held.sequence) continue;
    // A failed publish of this instance has left objects of this generation.
    const { generation } = await readManifest(context, name, signal);
    if (generation > held.generation) throw fenced(bot, undefined);
  }
  const snapshots: SnapshotRecord[] = [];
  for (const snapshot of held.snapshots) {
    if (await isWhole(context, snapshot, objects, signal)) snapshots.push(snapshot);
  }
  const head = { ...held, snapshots, updatedAt: new Date(clock.now()).toISOString() };
  await store.put(keys.head(bot), encodeHead(head), { ifNoneMatch: '*', signal });
  warn('the head of the saved state was gone, and has been written again', {
    key: keys.head(bot),
    snapshots: snapshots.length,
    lost: held.snapshots.length - snapshots.length,
  });
}

async function listObjects({ store, bot }: StateContext, signal: AbortSignal): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  try {
    for await (const { key, size } of store.list(`${bot}/`, { signal })) sizes.set(key, size);
  } catch (error) {
    // The bucket is gone, too. Writing the head creates it.
    if (!isRuntimeError(error, 'not-found')) throw error;
  }
  return sizes;
}

async function isWhole(
  context: StateContext,
  { manifest: name }: SnapshotRecord,
  objects: ReadonlyMap<string, number>,
  signal: AbortSignal,
): Promise<boolean> {
  if (name === undefined) return true;
  if (!objects.has(keys.manifest(context.bot, name))) return false;
  try {
    const { packs } = await readManifest(context, name, signal);
    return packs.every(([hash, size]) => objects.get(keys.pack(context.bot, hash)) === size);
  } catch (error) {
    if (isRuntimeError(error, 'damaged', 'not-found')) return false;
    throw error;
  }
}
