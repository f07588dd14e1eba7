import { existsSync, type FSWatcher, lstatSync, readdirSync, watch } from 'node:fs';
import { basename } from 'node:path';
import { systemCode } from '../../base/errors.ts';
import { below, type EntryPath, toSystemPath } from '../state/format/entryPath.ts';

export interface FolderWatchesOptions {
  readonly root: EntryPath;
  /** Whether this name at the top does not belong to the runtime. */
  readonly isIgnored: (name: string) => boolean;
  readonly onChange: (path: EntryPath) => void;
  /** A name that does not belong to the state has come, gone or changed. */
  readonly onIgnored: () => void;
  /** No more watches can be had. What was thrown by then is all that is told. */
  readonly onFailure: (error: unknown) => void;
  /** More folders than this are not watched. */
  readonly maxFolders: number;
  /** Files that were written from then on are changes as well (milliseconds): there was no watch yet. Undefined: none. */
  readonly since?: number | undefined;
}

/**
 * One watch for each folder below the root. `fs.watch` can do so by itself, but throws out of its own listener when there
 * are no watches left for a folder that appeared later.
 */
export class FolderWatches {
  readonly #options: FolderWatchesOptions;
  readonly #watches = new Map<EntryPath, FSWatcher>();
  #isClosed = false;

  constructor(options: FolderWatchesOptions) {
    this.#options = options;
  }

  /** Watches a folder and all in it; throws when that cannot be had. The root has the path ''. Files that are in it and not older than `since` are told. */
  add(path: EntryPath, since = this.#options.since): void {
    if (this.#watches.size >= this.#options.maxFolders) {
      throw new Error(`there are more than ${this.#options.maxFolders} folders`);
    }
    const system = this.#systemPath(path);
    try {
      // Watched first, then read: nothing falls in between.
      const watcher = watch(system, { persistent: false, encoding: 'latin1' }, (event, name) =>
        this.#take(path, event, name),
      );
      this.#watches.set(path, watcher);
      watcher.on('error', () => this.#drop(path));
      for (const entry of readdirSync(system, { withFileTypes: true, encoding: 'latin1' })) {
        const child = this.#below(path, entry.name);
        if (child === undefined) continue;
        if (entry.isDirectory()) this.add(child, since);
        else if (since !== undefined && this.#isNewer(child, since)) this.#options.onChange(child);
      }
    } catch (error) {
      if (path === '' || !isElsewhere(error)) throw error;
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const watcher of this.#watches.values()) watcher.close();
    this.#watches.clear();
  }

  #take(folder: EntryPath, event: string, name: string | null): void {
    const path = name === null ? folder : this.#below(folder, name);
    if (this.#isClosed) return;
    if (path === undefined) {
      this.#options.onIgnored();
      return;
    }
    this.#options.onChange(this.#isItself(folder, name, path) ? folder : path);
    if (event !== 'rename' || name === null) return;
    // Another folder may have taken the place of the one that was watched there.
    if (this.#watches.has(path)) this.#drop(path);
    try {
      // What is in it came before it was watched.
      if (lstatSync(this.#systemPath(path)).isDirectory()) this.add(path, 0);
    } catch (error) {
      if (isElsewhere(error)) return;
      this.#options.onFailure(error);
    }
  }

  #isNewer(path: EntryPath, since: number): boolean {
    try {
      return since === 0 || lstatSync(this.#systemPath(path)).mtimeMs >= since;
    } catch {
      return false;
    }
  }

  /** A folder's own changes come under its own name, like those of an entry in it. */
  #isItself(folder: EntryPath, name: string | null, path: EntryPath): boolean {
    return name === basename(folder || this.#options.root) && !existsSync(this.#systemPath(path));
  }

  #drop(path: EntryPath): void {
    for (const [other, watcher] of this.#watches) {
      if (!`${other}/`.startsWith(`${path}/`)) continue;
      watcher.close();
      this.#watches.delete(other);
    }
  }

  #below(folder: EntryPath, name: string): EntryPath | undefined {
    return folder === '' && this.#options.isIgnored(name) ? undefined : below(folder, name);
  }

  #systemPath(path: EntryPath): string | Buffer {
    const { root } = this.#options;
    return toSystemPath(path === '' ? root : below(root, path));
  }
}

/** Gone again, or closed to us: the scan has to do with it, not we. */
function isElsewhere(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'EACCES', 'ENAMETOOLONG'].includes(systemCode(error) ?? '');
}
