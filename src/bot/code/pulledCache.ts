import { isRuntimeError, systemCode } from '../../base/errors.ts';
import { cacheAccess } from './cacheAccess.ts';
import { CodeCache } from './codeCache.ts';
import type { PullCodeOptions, PulledCode } from './pulledCode.ts';
import type { Stage } from './stage.ts';
import type { TreeEntry } from './treeEntry.ts';
import { TreeWriter } from './treeWriter.ts';
import { MAX_ENTRIES } from './unpackTree.ts';

/** The code cache as one pull uses it. It only ever saves time: where it fails, it warns, and the store has the code. */
export interface PulledCache {
  /** Fills the stage's tree; undefined when the archive is not in the cache, or not whole. */
  restore(stage: Stage): Promise<PulledCode | undefined>;
  add(stage: Stage, archive: PulledArchive): Promise<void>;
}

export interface PulledArchive {
  readonly sha256: string;
  readonly etag: string;
  readonly entries: readonly TreeEntry[];
  readonly archiveBytes: number;
}

export function openPulledCache(options: PullCodeOptions, directory: string): PulledCache | undefined {
  const { store, key, owner, signal, warn } = options;
  const { problem, writable } = cacheAccess(directory, owner);
  if (problem !== undefined) {
    warn(`code cache ${directory} is not used: ${problem}`);
    return undefined;
  }
  const cache = new CodeCache(directory);

  const restore = async (stage: Stage): Promise<PulledCode | undefined> => {
    const sha256 = options.sha256 ?? (await knownArchive(cache, options));
    if (sha256 === undefined || !cache.has(sha256)) return undefined;
    const limits = { maxBytes: options.maxBytes, maxEntries: MAX_ENTRIES };
    try {
      const tree = new TreeWriter(stage.tree, owner, limits);
      const { entries, archiveBytes } = await cache.copyTo(tree, sha256, signal);
      return { ...totals(entries), sha256, archiveBytes, cached: true };
    } catch (error) {
      signal?.throwIfAborted();
      // The code path's disk, not the cache.
      if (systemCode(error) === 'ENOSPC' || systemCode(error) === 'EDQUOT') throw error;
      warn(`code cache entry ${sha256} is not used: ${messageOf(error)}`);
      stage.reset();
      if (writable) attempt(() => cache.drop(sha256));
      return undefined;
    }
  };

  const add = async (stage: Stage, { sha256, etag, entries, archiveBytes }: PulledArchive): Promise<void> => {
    if (!writable) return;
    try {
      if (!cache.has(sha256)) await cache.add(sha256, stage.tree, { entries, archiveBytes }, signal);
      cache.remember({ store: store.name, key, etag }, sha256);
    } catch (error) {
      signal?.throwIfAborted();
      warn(`the code was not added to the code cache ${directory}: ${messageOf(error)}`);
    }
  };

  const attempt = (action: () => void): void => {
    try {
      action();
    } catch (error) {
      warn(`code cache ${directory}: ${messageOf(error)}`);
    }
  };

  return { restore, add };
}

/** The archive's SHA-256, from the object's tag, when a pull has noted it. */
async function knownArchive(cache: CodeCache, options: PullCodeOptions): Promise<string | undefined> {
  const { store, key, signal } = options;
  try {
    const { etag } = await store.head(key, { signal });
    return cache.archiveOf({ store: store.name, key, etag });
  } catch (error) {
    // The download tells it with a hint.
    if (isRuntimeError(error, 'not-found')) return undefined;
    throw error;
  }
}

function totals(entries: readonly TreeEntry[]): { files: number; bytes: number } {
  const sizes = entries.flatMap((entry) => (entry.type === 'file' ? [entry.size] : []));
  return { files: sizes.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
