import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  copyFileSync,
  lchownSync,
  mkdirSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import type { Owner } from '../../base/owner.ts';
import { checkSymlinks, checkSymlinkTarget } from './checkSymlinks.ts';
import { entryPath } from './entryPath.ts';
import { createPlaced, finishPlaced, type PlacedFile, writePlaced } from './placedFile.ts';
import { refused } from './refused.ts';
import type { FileOptions, TreeEntry } from './treeEntry.ts';

export interface TreeLimits {
  /** Of all files together, counted as they are written. */
  readonly maxBytes: number;
  /** Files, symlinks and directories, those that no entry names included. */
  readonly maxEntries: number;
}

/**
 * Builds a tree out of untrusted entries in a directory that no other user can write to.
 *
 * Invariants: what lies where is decided by `entries` alone, never by asking the disk; a directory is made once and
 * nothing replaces it; symlinks are made last, so no write can go through one. Modes are the two that git knows,
 * 0755 and 0644 (the query program may run as yet another user), whatever the archive says.
 */
export class TreeWriter {
  readonly #root: string;
  readonly #owner: Owner | undefined;
  readonly #limits: TreeLimits;
  readonly #entries = new Map<string, TreeEntry>();
  /** The umask takes away bits that are needed. */
  readonly #chmod: boolean;
  #bytes = 0;
  #added = 0;

  constructor(root: string, owner: Owner | undefined, limits: TreeLimits) {
    this.#root = root;
    this.#owner = owner;
    this.#limits = limits;
    const mask = process.umask(0o022);
    process.umask(mask);
    this.#chmod = (mask & 0o755) !== 0;
  }

  get entries(): ReadonlyMap<string, TreeEntry> {
    return this.#entries;
  }

  addDirectory(name: string): void {
    const path = entryPath(name);
    if (path !== '') this.#ensureDirectory(path);
  }

  /** A file whose bytes are all there. */
  addFile(name: string, bytes: Uint8Array, options: FileOptions): void {
    writePlaced(this.placeFile(name, bytes.length, options), bytes);
  }

  /** Takes the place of a file of exactly `size` bytes, which the caller writes (`writePlaced`): the tree counts it from now on. */
  placeFile(name: string, size: number, options: FileOptions): PlacedFile {
    const placed = this.#take(name, size, options);
    this.#count(size);
    this.#add({ type: 'file', path: placed.path, size, ...asEntry(options) });
    return placed;
  }

  /** A file written piece by piece. `size` is what the archive declares; what is written is counted all the same. */
  openFile(name: string, size: number, options: FileOptions): OpenFile {
    const placed = this.#take(name, size, options);
    const fd = createPlaced(placed);
    let written = 0;
    return {
      write: (bytes) => {
        written += bytes.length;
        this.#count(bytes.length);
        for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
      },
      end: () => {
        finishPlaced(fd, placed);
        this.#add({ type: 'file', path: placed.path, size: written, ...asEntry(options) });
      },
      close: () => closeSync(fd),
    };
  }

  addSymlink(name: string, target: string): void {
    const path = entryPath(name);
    checkSymlinkTarget(path, target);
    if (path === '' || this.#entries.has(path))
      throw refused('a symlink replaces something', { entry: name });
    this.#ensureParent(path);
    this.#add({ type: 'symlink', path, target });
  }

  /** A hard link: becomes a file of its own, so that every byte counts and no two names share an inode. */
  addCopy(name: string, of: string): void {
    const source = this.#entries.get(entryPath(of));
    // Another name of a symlink is a symlink: it says the same from where it stands.
    if (source?.type === 'symlink') {
      this.addSymlink(name, source.target);
      return;
    }
    if (source?.type !== 'file') throw refused('a hard link names no file before it', { entry: name });
    if (entryPath(name) === source.path) return;
    this.#count(source.size);
    const path = this.#place(name);
    const to = `${this.#root}/${path}`;
    copyFileSync(`${this.#root}/${source.path}`, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    if (this.#owner) chownSync(to, this.#owner.uid, this.#owner.gid);
    this.#add({ ...source, path });
  }

  /** Makes the symlinks. Only now is the tree complete. */
  finish(): { readonly files: number; readonly bytes: number } {
    checkSymlinks(this.#entries);
    let files = 0;
    let bytes = 0;
    for (const entry of this.#entries.values()) {
      if (entry.type === 'file') {
        files += 1;
        bytes += entry.size;
      } else if (entry.type === 'symlink') {
        const path = `${this.#root}/${entry.path}`;
        symlinkSync(entry.target, path);
        if (this.#owner) lchownSync(path, this.#owner.uid, this.#owner.gid);
      }
    }
    if (files === 0) throw refused('it holds no file');
    return { files, bytes };
  }

  #take(name: string, size: number, options: FileOptions): PlacedFile & { readonly path: string } {
    if (!(size >= 0 && this.#bytes + size <= this.#limits.maxBytes)) throw this.#tooLarge();
    const path = this.#place(name);
    return {
      path,
      file: `${this.#root}/${path}`,
      mode: options.executable ? 0o755 : 0o644,
      chmod: this.#chmod,
      mtime: options.mtime,
      owner: this.#owner,
    };
  }

  /** A path for a new file, its parents made. As with any unpacker, of two files of one name the last one stays. */
  #place(name: string): string {
    const path = entryPath(name);
    const before = this.#entries.get(path);
    if (path === '' || name.endsWith('/') || (before && before.type !== 'file')) {
      throw refused('a file replaces something that is not a file', { entry: name });
    }
    if (before) unlinkSync(`${this.#root}/${path}`);
    else this.#ensureParent(path);
    return path;
  }

  #ensureParent(path: string): void {
    const slash = path.lastIndexOf('/');
    if (slash > 0) this.#ensureDirectory(path.slice(0, slash));
  }

  #ensureDirectory(path: string): void {
    const known = this.#entries.get(path);
    if (known?.type === 'directory') return;
    if (known) throw refused('a file or symlink is used as a directory', { entry: path });
    this.#ensureParent(path);
    const directory = `${this.#root}/${path}`;
    this.#add({ type: 'directory', path });
    mkdirSync(directory, 0o755);
    if (this.#chmod) chmodSync(directory, 0o755);
    if (this.#owner) chownSync(directory, this.#owner.uid, this.#owner.gid);
  }

  #add(entry: TreeEntry): void {
    this.#entries.set(entry.path, entry);
    this.#added += 1;
    if (this.#added > this.#limits.maxEntries) {
      throw refused(`it holds more than ${this.#limits.maxEntries} entries`);
    }
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > this.#limits.maxBytes) throw this.#tooLarge();
  }

  #tooLarge() {
    return refused(`it unpacks to more than ${this.#limits.maxBytes} bytes`, {
      hint: 'Make the code smaller, or raise MAX_CODE_SIZE_MB.',
    });
  }
}

export interface OpenFile {
  write(bytes: Uint8Array): void;
  /** All bytes are there: the file counts. */
  end(): void;
  close(): void;
}

const asEntry = ({ executable, mtime }: FileOptions) => ({ executable, mtime });
