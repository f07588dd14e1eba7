/** Node's snapshot (`SnapshotData::ToBlob`): this, what it is of, the heap, the state of isolate and environment, the caches. */
const SNAPSHOT_MAGIC = Buffer.from([0x19, 0xda, 0x43, 0x01]);

interface Entry {
  readonly id: string;
  readonly bytes: Buffer;
}

/**
 * Removes from an executable Node's caches of the code of its own modules, but for those in `keep`, by their ids. In place: the list of
 * caches is the last of the snapshot, and what it no longer needs is zeros that nobody reads. Throws where there is no such list.
 */
export function keepNodeCaches(bytes: Buffer, keep: ReadonlySet<string>): void {
  for (let at = bytes.indexOf(SNAPSHOT_MAGIC); at >= 0; at = bytes.indexOf(SNAPSHOT_MAGIC, at + 1)) {
    // Its length stands before it.
    const end = at + Number(bytes.readBigUInt64LE(at - 8));
    if (end > bytes.length || bytes.toString('latin1', at + 5, at + 64).indexOf(process.versions.node) < 0)
      continue;
    const list = findList(bytes, at, end);
    if (!list) continue;
    const kept = list.entries.filter(({ id }) => keep.has(id));
    const text = Buffer.concat([length(kept.length), ...kept.flatMap(encodeEntry)]);
    text.copy(bytes, list.at);
    bytes.fill(0, list.at + text.length, end);
    return;
  }
  throw new Error('the executable holds no snapshot of the kind that this was written for');
}

/** The list that ends where the snapshot does. */
function findList(bytes: Buffer, start: number, end: number): { at: number; entries: Entry[] } | undefined {
  for (let at = start; at < end - 16; at++) {
    const count = bytes.readUInt32LE(at);
    if (count < 100 || count > 1000 || bytes.readUInt32LE(at + 4) !== 0) continue;
    const entries = readList(bytes, at + 8, count, end);
    if (entries) return { at, entries };
  }
  return undefined;
}

function readList(bytes: Buffer, start: number, count: number, end: number): Entry[] | undefined {
  const entries: Entry[] = [];
  let at = start;
  const read = (): Buffer | undefined => {
    if (at + 8 > end) return undefined;
    const size = Number(bytes.readBigUInt64LE(at));
    if (at + 8 + size > end) return undefined;
    at += 8 + size;
    return bytes.subarray(at - size, at);
  };
  for (let i = 0; i < count; i++) {
    const id = read()?.toString('latin1');
    const cache = id === undefined || !/^[\w/-]{2,100}$/.test(id) ? undefined : read();
    if (id === undefined || !cache) return undefined;
    // It is moved within the same bytes.
    entries.push({ id, bytes: Buffer.from(cache) });
  }
  return at === end ? entries : undefined;
}

const encodeEntry = ({ id, bytes }: Entry): Buffer[] => [
  length(id.length),
  Buffer.from(id, 'latin1'),
  length(bytes.length),
  bytes,
];

function length(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}
