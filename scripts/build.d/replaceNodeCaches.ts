/** Node's snapshot (`SnapshotData::ToBlob`): this, what it is of, the heap, the state of isolate and environment, the caches. */
const SNAPSHOT_MAGIC = Buffer.from([0x19, 0xda, 0x43, 0x01]);

/**
 * Puts `caches`, by their ids, in the place of those that an executable has of the code of Node's own modules. In place: the list of
 * caches is the last of the snapshot, and what it no longer needs is zeros that nobody reads. Throws where there is no such list, or no
 * room in it.
 */
export function replaceNodeCaches(bytes: Buffer, caches: ReadonlyMap<string, Buffer>): void {
  for (let at = bytes.indexOf(SNAPSHOT_MAGIC); at >= 0; at = bytes.indexOf(SNAPSHOT_MAGIC, at + 1)) {
    // Its length stands before it.
    const end = at + Number(bytes.readBigUInt64LE(at - 8));
    if (end > bytes.length || bytes.toString('latin1', at + 5, at + 64).indexOf(process.versions.node) < 0)
      continue;
    const list = findList(bytes, at, end);
    if (list === undefined) continue;
    const text = Buffer.concat([length(caches.size), ...[...caches].flatMap(encodeEntry)]);
    if (list + text.length > end) throw new Error('no room for the caches of Node’s modules');
    text.copy(bytes, list);
    bytes.fill(0, list + text.length, end);
    return;
  }
  throw new Error('the executable holds no snapshot of the kind that this was written for');
}

/** Where the list is that ends where the snapshot does. */
function findList(bytes: Buffer, start: number, end: number): number | undefined {
  for (let at = start; at < end - 16; at++) {
    const count = bytes.readUInt32LE(at);
    if (count < 100 || count > 1000 || bytes.readUInt32LE(at + 4) !== 0) continue;
    if (isList(bytes, at + 8, count, end)) return at;
  }
  return undefined;
}

function isList(bytes: Buffer, start: number, count: number, end: number): boolean {
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
    if (id === undefined || !/^[\w/-]{2,100}$/.test(id) || !read()) return false;
  }
  return at === end;
}

const encodeEntry = ([id, bytes]: [string, Buffer]): Buffer[] => [
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
