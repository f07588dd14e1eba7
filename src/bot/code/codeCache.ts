import { hash } from 'node:crypto';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { systemCode } from '../../base/errors.ts';
import { makeFolders } from '../../base/makeFolders.ts';
import { replaceFile } from '../../base/replaceFile.ts';
import { readCacheManifest, writeCacheManifest } from './cacheManifest.ts';
import { copyTree } from './copyTree.ts';
import type { TreeEntry } from './treeEntry.ts';
import { TreeWriter } from './treeWriter.ts';

/** Which object of a store was unpacked. */
export interface ObjectVersion {
  readonly store: string;
  readonly key: string;
  readonly etag: string;
}

export interface CachedTree {
  readonly entries: readonly TreeEntry[];
  readonly archiveBytes: number;
}

/** A temporary directory of the cache that is so much older than a new one is a remnant, milliseconds. */
const ABANDONED_MS = 3_600_000;
const TEMPORARY = '.new-';
const SHA256 = /^[0-9a-f]{64}$/;

/**
 * Unpacked archives by the SHA-256 of the archive, shared by the containers of a host:
 * `<sha256>/manifest`, `<sha256>/tree/…`, and `keys/<hash of an object's version>` with the archive's SHA-256.
 *
 * An entry appears whole, by one rename, and never changes. What is taken from it is a checked copy, file by file: a
 * hard link would let one bot change another's code, and a reflink would not notice a damaged entry.
 */
export class CodeCache {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** SHA-256 of the archive that was this version of the object; undefined when it is not known. */
  archiveOf(version: ObjectVersion): string | undefined {
    try {
      const sha256 = readFileSync(this.#keyFile(version), 'utf8');
      return SHA256.test(sha256) ? sha256 : undefined;
    } catch {
      return undefined;
    }
  }

  has(sha256: string): boolean {
    return lstatSync(`${this.#directory}/${sha256}`, { throwIfNoEntry: false }) !== undefined;
  }

  /** Copies an entry through `tree`. Throws when anything in the entry is not as it was put there. */
  async copyTo(tree: TreeWriter, sha256: string, signal?: AbortSignal): Promise<CachedTree> {
    const entry = `${this.#directory}/${sha256}`;
    const { entries, digests, archiveBytes } = readCacheManifest(`${entry}/manifest`);
    const read = await copyTree(`${entry}/tree`, entries, tree, signal);
    const changed = Object.keys(digests).find((path) => read.get(path) !== digests[path]);
    if (changed !== undefined) throw new Error(`${JSON.stringify(changed)} in it is damaged`);
    return { entries, archiveBytes };
  }

  /** Puts a copy of the tree at `from` into the cache, unless the archive is already in it. */
  async add(
    sha256: string,
    from: string,
    { entries, archiveBytes }: CachedTree,
    signal?: AbortSignal,
  ): Promise<void> {
    const temporary = mkdtempSync(`${this.#directory}/${TEMPORARY}`);
    try {
      mkdirSync(`${temporary}/tree`);
      for (const path of [temporary, `${temporary}/tree`]) chmodSync(path, 0o755);
      const unlimited = { maxBytes: Number.MAX_SAFE_INTEGER, maxEntries: Number.MAX_SAFE_INTEGER };
      const tree = new TreeWriter(`${temporary}/tree`, undefined, unlimited);
      const digests = Object.fromEntries(await copyTree(from, entries, tree, signal));
      writeCacheManifest(`${temporary}/manifest`, { version: 1, archiveBytes, entries, digests });
      renameSync(temporary, `${this.#directory}/${sha256}`);
    } catch (error) {
      // Somebody else was first; theirs is as good as ours.
      if (systemCode(error) !== 'ENOTEMPTY' && systemCode(error) !== 'EEXIST') throw error;
    } finally {
      this.#removeAbandoned(temporary);
    }
  }

  remember(version: ObjectVersion, sha256: string): void {
    const file = this.#keyFile(version);
    const temporary = mkdtempSync(`${this.#directory}/${TEMPORARY}`);
    try {
      makeFolders(`${this.#directory}/keys`, 0o755);
      replaceFile(file, sha256, { mode: 0o644, temporary: `${temporary}/key` });
    } finally {
      rmSync(temporary, { recursive: true, force: true });
    }
  }

  /** Takes an entry away, at once as seen by others. */
  drop(sha256: string): void {
    const temporary = mkdtempSync(`${this.#directory}/${TEMPORARY}`);
    try {
      renameSync(`${this.#directory}/${sha256}`, `${temporary}/${sha256}`);
    } finally {
      rmSync(temporary, { recursive: true, force: true });
    }
  }

  #keyFile({ store, key, etag }: ObjectVersion): string {
    return `${this.#directory}/keys/${hash('sha256', JSON.stringify([store, key, etag]))}`;
  }

  /** Own temporary directory, and what killed starts have left. */
  #removeAbandoned(own: string): void {
    const now = lstatSync(this.#directory).mtimeMs;
    rmSync(own, { recursive: true, force: true });
    for (const name of readdirSync(this.#directory)) {
      if (!name.startsWith(TEMPORARY)) continue;
      const path = `${this.#directory}/${name}`;
      const stat = lstatSync(path, { throwIfNoEntry: false });
      if (stat && now - stat.mtimeMs > ABANDONED_MS) rmSync(path, { recursive: true, force: true });
    }
  }
}
