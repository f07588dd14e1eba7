import type { EntryPath } from './entryPath.ts';

export type EntryType = 'file' | 'folder' | 'link';

const types: readonly EntryType[] = ['file', 'folder', 'link'];

/** What `lstat` says about an entry. Times are microseconds since the epoch, whole numbers. */
export interface EntryStat {
  readonly type: EntryType;
  /** Permission bits, 0…0o7777. */
  readonly mode: number;
  readonly mtime: number;
  readonly size: number;
  /** NaN where it is not known: read from a manifest. */
  readonly ctime: number;
  readonly inode: number;
}

/**
 * A state's entries in walk order, as columns: ten thousand of them cost about a megabyte. Blobs are rows of the
 * `BlobTable` that goes with the tree; −n stands for n blocks of zeros.
 */
export class Tree {
  readonly paths: EntryPath[] = [];
  readonly targets = new Map<number, EntryPath>();
  #types = new Uint8Array(16);
  #modes = new Uint16Array(16);
  #doubtful = new Uint8Array(16);
  #mtimes = new Float64Array(16);
  #ctimes = new Float64Array(16);
  #inodes = new Float64Array(16);
  #sizes = new Float64Array(16);
  #firsts = new Uint32Array(16);
  #counts = new Uint32Array(16);
  #blobs = new Int32Array(16);
  #blobsLength = 0;

  get length(): number {
    return this.paths.length;
  }

  add(path: EntryPath, stat: EntryStat, target?: EntryPath): number {
    const index = this.paths.push(path) - 1;
    if (index === this.#types.length) this.#grow(index * 2);
    this.#types[index] = types.indexOf(stat.type);
    this.#modes[index] = stat.mode;
    this.#mtimes[index] = stat.mtime;
    this.#ctimes[index] = stat.ctime;
    this.#inodes[index] = stat.inode;
    this.#sizes[index] = stat.size;
    if (target !== undefined) this.targets.set(index, target);
    return index;
  }

  type(index: number): EntryType {
    return types[this.#types[index]!]!;
  }

  mode(index: number): number {
    return this.#modes[index]!;
  }

  mtime(index: number): number {
    return this.#mtimes[index]!;
  }

  ctime(index: number): number {
    return this.#ctimes[index]!;
  }

  inode(index: number): number {
    return this.#inodes[index]!;
  }

  size(index: number): number {
    return this.#sizes[index]!;
  }

  /** Its time stamps cannot tell whether it has changed since it was read: too recent then. */
  doubtful(index: number): boolean {
    return this.#doubtful[index] === 1;
  }

  /** What its time stamps say is not believed: it is read again. */
  doubt(index: number): void {
    this.#doubtful[index] = 1;
  }

  blobs(index: number): Int32Array {
    const first = this.#firsts[index]!;
    return this.#blobs.subarray(first, first + this.#counts[index]!);
  }

  /** What was read: `size` is what it had then. */
  setContent(index: number, content: { blobs: ArrayLike<number>; size: number; doubtful: boolean }): void {
    const { blobs } = content;
    const end = this.#blobsLength + blobs.length;
    if (end > this.#blobs.length) {
      const larger = new Int32Array(Math.max(end, this.#blobs.length * 2));
      larger.set(this.#blobs);
      this.#blobs = larger;
    }
    this.#blobs.set(blobs, this.#blobsLength);
    this.#firsts[index] = this.#blobsLength;
    this.#counts[index] = blobs.length;
    this.#blobsLength = end;
    this.#sizes[index] = content.size;
    this.#doubtful[index] = content.doubtful ? 1 : 0;
  }

  /** The contents of `other`, which has the same entries. What was found doubtful here stays so. */
  takeContents(other: Tree): void {
    for (let i = 0; i < this.length; i++) {
      if (this.type(i) !== 'file') continue;
      this.setContent(i, { blobs: other.blobs(i), size: other.size(i), doubtful: this.doubtful(i) });
    }
  }

  /** The same tree with other row numbers. */
  renumber(rowOf: (row: number) => number): void {
    for (let i = 0; i < this.#blobsLength; i++) {
      const row = this.#blobs[i]!;
      if (row >= 0) this.#blobs[i] = rowOf(row);
    }
  }

  stat(index: number): EntryStat {
    return {
      type: this.type(index),
      mode: this.mode(index),
      mtime: this.mtime(index),
      size: this.size(index),
      ctime: this.ctime(index),
      inode: this.inode(index),
    };
  }

  /** Whether `lstat` says of an entry what it said when it was added and read. */
  isUntouched(index: number, stat: EntryStat, target: EntryPath | undefined): boolean {
    return (
      this.#ctimes[index] === stat.ctime &&
      this.#mtimes[index] === stat.mtime &&
      this.#sizes[index] === stat.size &&
      this.#inodes[index] === stat.inode &&
      this.#modes[index] === stat.mode &&
      this.#doubtful[index] === 0 &&
      types[this.#types[index]!] === stat.type &&
      this.targets.get(index) === target
    );
  }

  /** Whether an entry here is the same as one of `other`: all but inodes and ctimes, and with the same rows. */
  isSameEntry(index: number, other: Tree, at: number): boolean {
    return (
      this.paths[index] === other.paths[at] &&
      this.#types[index] === other.#types[at] &&
      this.#modes[index] === other.#modes[at] &&
      this.#mtimes[index] === other.#mtimes[at] &&
      this.#sizes[index] === other.#sizes[at] &&
      this.targets.get(index) === other.targets.get(at) &&
      this.#hasSameRows(index, other, at)
    );
  }

  #hasSameRows(index: number, other: Tree, at: number): boolean {
    const count = this.#counts[index]!;
    if (count !== other.#counts[at]) return false;
    const [first, from] = [this.#firsts[index]!, other.#firsts[at]!];
    for (let i = 0; i < count; i++) if (this.#blobs[first + i] !== other.#blobs[from + i]) return false;
    return true;
  }

  /** A copy without some entries (they vanished while they were read), nor what lies below them. */
  without(gone: ReadonlySet<number>): Tree {
    const rest = new Tree();
    for (let i = 0; i < this.length; i++) if (!gone.has(i)) this.copyTo(rest, i);
    return rest;
  }

  /** A copy of the first entries. */
  upTo(length: number): Tree {
    const copy = new Tree();
    for (let i = 0; i < length; i++) copy.paths.push(this.paths[i]!);
    for (const [index, target] of this.targets) if (index < length) copy.targets.set(index, target);
    copy.#grow(this.#types.length);
    copy.#types.set(this.#types.subarray(0, length));
    copy.#modes.set(this.#modes.subarray(0, length));
    copy.#doubtful.set(this.#doubtful.subarray(0, length));
    copy.#mtimes.set(this.#mtimes.subarray(0, length));
    copy.#ctimes.set(this.#ctimes.subarray(0, length));
    copy.#inodes.set(this.#inodes.subarray(0, length));
    copy.#sizes.set(this.#sizes.subarray(0, length));
    copy.#counts.set(this.#counts.subarray(0, length));
    // One after the other: a tree that is a copy of a copy must not hold what none of its entries has any more.
    copy.#blobs = new Int32Array(this.#blobs.length);
    for (let i = 0; i < length; i++) {
      copy.#firsts[i] = copy.#blobsLength;
      const first = this.#firsts[i]!;
      for (let n = 0; n < this.#counts[i]!; n++) copy.#blobs[copy.#blobsLength++] = this.#blobs[first + n]!;
    }
    return copy;
  }

  copyTo(other: Tree, index: number): number {
    const copy = other.add(this.paths[index]!, this.stat(index), this.targets.get(index));
    const content = { blobs: this.blobs(index), size: this.size(index), doubtful: this.doubtful(index) };
    if (this.type(index) === 'file') other.setContent(copy, content);
    return copy;
  }

  totals(): { readonly files: number; readonly bytes: number } {
    let files = 0;
    let bytes = 0;
    for (let i = 0; i < this.length; i++) {
      if (this.type(i) !== 'file') continue;
      files += 1;
      bytes += this.size(i);
    }
    return { files, bytes };
  }

  #grow(capacity: number): void {
    this.#types = enlarge(this.#types, new Uint8Array(capacity));
    this.#modes = enlarge(this.#modes, new Uint16Array(capacity));
    this.#doubtful = enlarge(this.#doubtful, new Uint8Array(capacity));
    this.#mtimes = enlarge(this.#mtimes, new Float64Array(capacity));
    this.#ctimes = enlarge(this.#ctimes, new Float64Array(capacity));
    this.#inodes = enlarge(this.#inodes, new Float64Array(capacity));
    this.#sizes = enlarge(this.#sizes, new Float64Array(capacity));
    this.#firsts = enlarge(this.#firsts, new Uint32Array(capacity));
    this.#counts = enlarge(this.#counts, new Uint32Array(capacity));
  }
}

type Column = Uint8Array | Uint16Array | Uint32Array | Float64Array;

function enlarge<T extends Column>(from: T, into: T): T {
  into.set(from);
  return into;
}
