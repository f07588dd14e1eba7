import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  ftruncateSync,
  futimesSync,
  lchownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { systemCode } from '../../../base/errors.ts';
import type { Owner } from '../../../base/owner.ts';
import { below, type EntryPath, pathOfBytes, toSystemPath } from '../format/entryPath.ts';
import { BLOCK_BYTES } from '../format/format.ts';
import type { Tree } from '../format/tree.ts';
import type { FileJob } from './fileJob.ts';
import { isZero } from './readBlocks.ts';
import { PATH_BYTES } from './treeRoot.ts';

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_DIRECTORY } = constants;
const PAGE_BYTES = 4096;

/**
 * Builds a tree in an empty folder that no other user can reach. Nothing is ever opened through a link or over something that exists.
 * Folders get their owners, modes and times last (`finishFolders`), when all that lies in them is there.
 */
export class TreeWriter {
  readonly #tree: Tree;
  readonly #base: EntryPath;
  readonly #owner: Owner | undefined;
  /** Blocks still to come, by entry. */
  readonly #missing = new Map<number, number>();

  constructor(tree: Tree, base: EntryPath, owner: Owner | undefined) {
    this.#tree = tree;
    this.#base = base;
    this.#owner = owner;
  }

  makeFolder(index: number): void {
    this.#at(index, (path) => mkdirSync(path, { mode: 0o700 }));
  }

  makeLink(index: number): void {
    this.#at(index, (path) => {
      symlinkSync(toSystemPath(this.#tree.targets.get(index)!), path);
      const mtime = seconds(this.#tree.mtime(index));
      lutimesSync(path, mtime, mtime);
      if (this.#owner) lchownSync(path, this.#owner.uid, this.#owner.gid);
    });
  }

  /** An empty file of the right size, of which `blocks` are to come: all holes until then. */
  makeFile(index: number, blocks: number): void {
    const fd = this.#open(index, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);
    try {
      ftruncateSync(fd, this.#tree.size(index));
      this.#missing.set(index, blocks);
      if (blocks === 0) this.#finish(fd, index);
    } finally {
      closeSync(fd);
    }
  }

  /** The file at `existing` is already what the entry says, its times and mode included. False: it lies in another mount. */
  linkFile(index: number, existing: EntryPath): boolean {
    try {
      this.#at(index, (path) => linkSync(toSystemPath(existing), path));
      return true;
    } catch (error) {
      if (systemCode(error) !== 'EXDEV') throw error;
      return false;
    }
  }

  /** A file of one block, whole. */
  writeFile(index: number, bytes: Buffer): void {
    const fd = this.#open(index, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);
    try {
      writeSparsely(fd, bytes, 0, this.#tree.size(index));
      this.#finish(fd, index);
    } finally {
      closeSync(fd);
    }
  }

  /** A file of which the bytes come piece by piece; what is not written is zeros. */
  openFile(index: number): OpenFile {
    const fd = this.#open(index, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);
    ftruncateSync(fd, this.#tree.size(index));
    return {
      write: (bytes, at) => writeSparsely(fd, bytes, at, this.#tree.size(index)),
      end: () => this.#finish(fd, index),
      close: () => closeSync(fd),
    };
  }

  writeBlock(index: number, block: number, bytes: Buffer): void {
    const fd = this.#open(index, O_WRONLY | O_NOFOLLOW);
    try {
      writeSparsely(fd, bytes, block * BLOCK_BYTES, this.#tree.size(index));
      if (this.#takeBlock(index) === 0) this.#finish(fd, index);
    } finally {
      closeSync(fd);
    }
  }

  /** `writeFile` or `writeBlock` for another thread; undefined where the system does not take the path as it is. */
  jobFor(index: number, block: number, isWhole: boolean): FileJob | undefined {
    const path = below(this.#base, this.#tree.paths[index]!);
    if (path.length > PATH_BYTES) return undefined;
    const whole = isWhole
      ? { mode: this.#tree.mode(index), mtime: seconds(this.#tree.mtime(index)) }
      : undefined;
    return { path, fileSize: this.#tree.size(index), start: block * BLOCK_BYTES, whole };
  }

  /** Another thread has written a block of it. */
  blockWritten(index: number): void {
    if (this.#takeBlock(index) > 0) return;
    const fd = this.#open(index, O_WRONLY | O_NOFOLLOW);
    try {
      this.#finish(fd, index);
    } finally {
      closeSync(fd);
    }
  }

  /** Another thread may have made a file, and it may not be complete. */
  discardFile(index: number): void {
    this.#at(index, (path) => rmSync(path, { force: true }));
  }

  #takeBlock(index: number): number {
    const missing = this.#missing.get(index)! - 1;
    this.#missing.set(index, missing);
    return missing;
  }

  /** Owners, modes and times of the folders at the top or of all below them, deepest first; `base` is where they lie now. */
  finishFolders(base: EntryPath, which: 'top' | 'nested', except?: ReadonlySet<string>): void {
    for (let index = this.#tree.length - 1; index >= 0; index--) {
      if (this.#tree.type(index) !== 'folder' || except?.has(this.#tree.paths[index]!)) continue;
      if (this.#tree.paths[index]!.includes('/') !== (which === 'nested')) continue;
      const open = (path: string | Buffer) => openSync(path, O_RDONLY | O_NOFOLLOW | O_DIRECTORY);
      const fd = this.#at(index, open, base);
      try {
        this.#finish(fd, index);
      } finally {
        closeSync(fd);
      }
    }
  }

  #finish(fd: number, index: number): void {
    const mode = this.#tree.mode(index);
    const mtime = seconds(this.#tree.mtime(index));
    fchmodSync(fd, mode);
    futimesSync(fd, mtime, mtime);
    if (!this.#owner) return;
    // Last: mode and times of another user's are not ours to set, for root without CAP_FOWNER.
    fchownSync(fd, this.#owner.uid, this.#owner.gid);
    // A change of owner clears set-id bits.
    if (mode & 0o6000) fchmodSync(fd, mode);
  }

  #open(index: number, flags: number): number {
    return this.#at(index, (path) => openSync(path, flags, 0o600));
  }

  /** With a path of the entry that the system takes: where its own would be too long, by way of an open folder above it. */
  #at<T>(index: number, use: (path: string | Buffer) => T, base = this.#base): T {
    const path = this.#tree.paths[index]!;
    if (base.length + 1 + path.length <= PATH_BYTES) return use(toSystemPath(below(base, path)));
    const cut = path.lastIndexOf('/', PATH_BYTES / 2);
    const folder = openSync(
      toSystemPath(below(base, path.slice(0, cut))),
      O_RDONLY | O_NOFOLLOW | O_DIRECTORY,
    );
    try {
      return use(toSystemPath(pathOfBytes(`/proc/self/fd/${folder}${path.slice(cut)}`)));
    } finally {
      closeSync(folder);
    }
  }
}

export interface OpenFile {
  write(bytes: Buffer, at: number): void;
  /** All bytes are there. */
  end(): void;
  close(): void;
}

/**
 * For `utimes`: as text, since Node takes negative numbers for "now". A number of seconds is exact to a quarter of a microsecond
 * only, and what is left of it is cut: where that would end in the microsecond before, the middle of the right one is taken.
 */
export function seconds(micros: number): string {
  const exact = micros / 1e6;
  const whole = Math.trunc(exact);
  const nanoseconds = Math.trunc((exact - whole) * 1e9);
  const isRight = whole * 1e6 + Math.floor(nanoseconds / 1000) === micros;
  return `${isRight ? exact : (micros + 0.5) / 1e6}`;
}

/** Writes all but pages of zeros; where there are none to spare, in one call. */
export function writeSparsely(fd: number, bytes: Buffer, position: number, size: number): void {
  let start = 0;
  for (let at = 0; at < bytes.length; at += PAGE_BYTES) {
    // Real data differs in the first byte.
    if (bytes[at] !== 0 || !isZero(bytes.subarray(at, at + PAGE_BYTES))) continue;
    writeFully(fd, bytes.subarray(start, at), position + start);
    start = at + PAGE_BYTES;
  }
  writeFully(fd, bytes.subarray(start), position + start);
  if (start >= bytes.length) ftruncateSync(fd, size);
}

function writeFully(fd: number, bytes: Buffer, position: number): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, position + at);
}
