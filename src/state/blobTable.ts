/** A pack as the store holds it. */
export interface Pack {
  /** SHA-256 of its bytes: its name. */
  readonly hash: string;
  readonly size: number;
}

const HASH_BYTES = 32;
const NOWHERE = -1;

/**
 * Every blob that a tree refers to, as rows: its hash and where it lies. Columns rather than objects, because a
 * daemon keeps this for as long as its bot lives. Rows are only ever added; the latest row of a hash is the one found.
 */
export class BlobTable {
  readonly packs: Pack[] = [];
  #length = 0;
  #hashes = Buffer.alloc(16 * HASH_BYTES);
  #packs = new Int32Array(16);
  #offsets = new Uint32Array(16);
  #lengths = new Uint32Array(16);
  /** Open addressing by the first bytes of the hash; row + 1, 0 is free. */
  #slots = new Int32Array(32);

  get length(): number {
    return this.#length;
  }

  hash(row: number): Buffer {
    return this.#hashes.subarray(row * HASH_BYTES, (row + 1) * HASH_BYTES);
  }

  /** Number of its pack in `packs`, or undefined while it is in none. */
  pack(row: number): number | undefined {
    const pack = this.#packs[row]!;
    return pack === NOWHERE ? undefined : pack;
  }

  offset(row: number): number {
    return this.#offsets[row]!;
  }

  /** Bytes in the pack. */
  stored(row: number): number {
    return this.#lengths[row]!;
  }

  find(hash: Buffer): number | undefined {
    const entry = this.#slots[this.#slot(hash)]!;
    return entry === 0 ? undefined : entry - 1;
  }

  add(hash: Buffer): number {
    if (this.#length === this.#packs.length) this.#grow();
    const row = this.#length++;
    hash.copy(this.#hashes, row * HASH_BYTES);
    this.#packs[row] = NOWHERE;
    this.#slots[this.#slot(hash)] = row + 1;
    return row;
  }

  place(row: number, pack: number, offset: number, stored: number): void {
    this.#packs[row] = pack;
    this.#offsets[row] = offset;
    this.#lengths[row] = stored;
  }

  /** Number of `pack`, added when it is new. */
  addPack(pack: Pack): number {
    return this.packs.push(pack) - 1;
  }

  #slot(hash: Buffer): number {
    const mask = this.#slots.length - 1;
    let slot = hash.readUInt32LE(0) & mask;
    for (;;) {
      const entry = this.#slots[slot]!;
      if (entry === 0 || this.hash(entry - 1).equals(hash)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #grow(): void {
    const capacity = this.#packs.length * 2;
    this.#hashes = Buffer.concat([this.#hashes], capacity * HASH_BYTES);
    this.#packs = enlarge(this.#packs, new Int32Array(capacity));
    this.#offsets = enlarge(this.#offsets, new Uint32Array(capacity));
    this.#lengths = enlarge(this.#lengths, new Uint32Array(capacity));
    this.#slots = new Int32Array(capacity * 2);
    for (let row = 0; row < this.#length; row++) this.#slots[this.#slot(this.hash(row))] = row + 1;
  }
}

function enlarge<T extends Int32Array | Uint32Array>(from: T, into: T): T {
  into.set(from);
  return into;
}
