/** A pack as the store holds it. */
export interface Pack {
  /** SHA-256 of its bytes: its name. */
  readonly hash: string;
  readonly size: number;
}

/** Blobs one after the other, stored as one. */
export interface Frame {
  /** Number of its pack in `packs`. */
  readonly pack: number;
  readonly offset: number;
  /** Bytes in the pack; bytes that they unpack to. */
  readonly stored: number;
  readonly size: number;
}

const HASH_BYTES = 32;
const NOWHERE = -1;

/**
 * Every blob that a tree refers to, as rows: its hash, its size and where it lies. Columns rather than objects, because a
 * daemon keeps this for as long as its bot lives. Rows are only ever added; the latest row of a hash is the one found.
 */
export class BlobTable {
  readonly packs: Pack[] = [];
  readonly frames: Frame[] = [];
  #length = 0;
  #hashes = Buffer.alloc(16 * HASH_BYTES);
  #sizes = new Uint32Array(16);
  #frames = new Int32Array(16);
  #positions = new Uint32Array(16);
  /** Open addressing by the first bytes of the hash; row + 1, 0 is free. */
  #slots = new Int32Array(32);

  get length(): number {
    return this.#length;
  }

  hash(row: number): Buffer {
    return this.#hashes.subarray(row * HASH_BYTES, (row + 1) * HASH_BYTES);
  }

  size(row: number): number {
    return this.#sizes[row]!;
  }

  /** Undefined while it is in none. */
  frame(row: number): Frame | undefined {
    return this.frames[this.#frames[row]!];
  }

  /** Where in its unpacked frame it begins. */
  position(row: number): number {
    return this.#positions[row]!;
  }

  find(hash: Buffer): number | undefined {
    const entry = this.#slots[this.#slot(hash)]!;
    return entry === 0 ? undefined : entry - 1;
  }

  add(hash: Buffer, size: number): number {
    if (this.#length === this.#sizes.length) this.#grow();
    const row = this.#length++;
    this.#hashes.set(hash, row * HASH_BYTES);
    this.#sizes[row] = size;
    this.#frames[row] = NOWHERE;
    this.#slots[this.#slot(hash)] = row + 1;
    return row;
  }

  place(row: number, frame: number, position: number): void {
    this.#frames[row] = frame;
    this.#positions[row] = position;
  }

  /** It turned out not to be there. */
  displace(row: number): void {
    this.#frames[row] = NOWHERE;
  }

  /** Number of `pack`. */
  addPack(pack: Pack): number {
    return this.packs.push(pack) - 1;
  }

  /** Number of `frame`. */
  addFrame(frame: Frame): number {
    return this.frames.push(frame) - 1;
  }

  #slot(hash: Buffer): number {
    const mask = this.#slots.length - 1;
    let slot = (hash[0]! | (hash[1]! << 8) | (hash[2]! << 16) | (hash[3]! << 24)) & mask;
    for (;;) {
      const entry = this.#slots[slot]!;
      if (entry === 0 || this.#isHash(entry - 1, hash)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  /** Two bytes that do not choose the slot tell almost all apart, without a call. */
  #isHash(row: number, hash: Buffer): boolean {
    const at = row * HASH_BYTES;
    return (
      this.#hashes[at + 4] === hash[4] &&
      this.#hashes[at + 5] === hash[5] &&
      this.#hashes.compare(hash, 0, HASH_BYTES, at, at + HASH_BYTES) === 0
    );
  }

  #grow(): void {
    const capacity = this.#sizes.length * 2;
    this.#hashes = Buffer.concat([this.#hashes], capacity * HASH_BYTES);
    this.#sizes = enlarge(this.#sizes, new Uint32Array(capacity));
    this.#frames = enlarge(this.#frames, new Int32Array(capacity));
    this.#positions = enlarge(this.#positions, new Uint32Array(capacity));
    this.#slots = new Int32Array(capacity * 2);
    for (let row = 0; row < this.#length; row++) this.#slots[this.#slot(this.hash(row))] = row + 1;
  }
}

function enlarge<T extends Int32Array | Uint32Array>(from: T, into: T): T {
  into.set(from);
  return into;
}
