import { isRuntimeError } from '../../../base/errors.ts';
import type { ObjectInfo } from '../../../store/objectStore.ts';
import type { StateContext } from '../format/context.ts';
import { keys } from '../format/format.ts';
import type { Head } from '../format/head.ts';
import { inParallel } from '../read/inParallel.ts';
import { readManifest } from '../read/loadSnapshot.ts';
import { readHead } from '../read/readHead.ts';

export interface PruneOptions {
  /** Objects younger than this by the store's own clock may belong to a publish under way. Milliseconds; default a day. */
  readonly safetyAgeMs?: number;
  readonly signal: AbortSignal;
  /** Bytes of objects that are deleted, of those that will be. */
  readonly onProgress?: (progress: { readonly bytes: number; readonly totalBytes: number }) => void;
}

export interface PruneReport {
  readonly deletedObjects: number;
  readonly deletedBytes: number;
  /** Named by a kept snapshot. */
  readonly keptObjects: number;
  /** Named by none, and too young to be deleted. */
  readonly youngObjects: number;
}

const SAFETY_AGE_MS = 24 * 60 * 60 * 1000;
const DELETES_AT_ONCE = 8;
const OWN_NAME = /\/(manifests\/\d+-|packs\/)[0-9a-f]{64}$/;

/**
 * Deletes manifests and packs that no snapshot in the head names. It may be cut off anywhere: the next call finds the rest.
 * The order makes it safe: the whole listing comes first, then the head. So every object that a newer head names is named by the head that
 * was read, or is younger than the safety age.
 */
export async function prune(context: StateContext, options: PruneOptions): Promise<PruneReport> {
  const { store, bot } = context;
  const { safetyAgeMs = SAFETY_AGE_MS, signal, onProgress } = options;
  const found: ObjectInfo[] = [];
  for (const prefix of [keys.manifests(bot), keys.packs(bot)]) {
    for await (const info of store.list(prefix, { signal })) if (OWN_NAME.test(info.key)) found.push(info);
  }
  const now = await store.now({ signal });
  const stored = await readHead(context, signal);
  const named = stored && (await namedObjects(context, stored.head, signal));
  const isNamed = (key: string) =>
    !named || named.manifests.has(key) || (named.packs?.has(key) ?? !isManifest(key));
  const unnamed = found.filter((info) => !isNamed(info.key));
  const old = unnamed.filter((info) => now - info.modified > safetyAgeMs);
  const totalBytes = old.reduce((sum, info) => sum + info.size, 0);
  let bytes = 0;
  await inParallel(DELETES_AT_ONCE, old, signal, async ({ key, size }, either) => {
    await store.delete(key, { signal: either });
    bytes += size;
    onProgress?.({ bytes, totalBytes });
  });
  return {
    deletedObjects: old.length,
    deletedBytes: totalBytes,
    keptObjects: found.length - unnamed.length,
    youngObjects: unnamed.length - old.length,
  };

  function isManifest(key: string): boolean {
    return key.startsWith(keys.manifests(bot));
  }
}

/** `packs` undefined: a manifest cannot be read. The packs that it names are unknown, so all packs stay. */
async function namedObjects(
  context: StateContext,
  { snapshots }: Head,
  signal: AbortSignal,
): Promise<{ readonly manifests: Set<string>; readonly packs: Set<string> | undefined }> {
  const names = snapshots.flatMap(({ manifest }) => (manifest === undefined ? [] : [manifest]));
  const manifests = new Set(names.map((name) => keys.manifest(context.bot, name)));
  const packs = new Set<string>();
  for (const name of names) {
    try {
      const manifest = await readManifest(context, name, signal);
      for (const [hash] of manifest.packs) packs.add(keys.pack(context.bot, hash));
    } catch (error) {
      if (!isRuntimeError(error, 'damaged', 'not-found')) throw error;
      context.warn('a manifest cannot be read, so no pack is deleted', {
        manifest: name,
        reason: error.message,
      });
      return { manifests, packs: undefined };
    }
  }
  return { manifests, packs };
}
