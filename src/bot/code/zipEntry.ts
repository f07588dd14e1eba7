import { isUtf8 } from 'node:buffer';
import { crc32 } from 'node:zlib';
import type { ArchiveSource } from './archiveSource.ts';
import { refused } from './refused.ts';

export type ZipMethod = 'stored' | 'deflated';

/** One entry as the central directory has it. */
export interface ZipEntry {
  readonly name: string;
  readonly rawName: Buffer;
  readonly type: 'file' | 'directory' | 'symlink';
  readonly executable: boolean;
  /** Seconds since the epoch, where the archive says it in UTC. */
  readonly mtime: number | undefined;
  readonly method: ZipMethod;
  readonly crc: number;
  /** Bytes in the archive; bytes unpacked. */
  readonly compressedSize: number;
  readonly size: number;
  readonly headerOffset: number;
}

const ENCRYPTED = 0x0001 | 0x0040 | 0x2000;
const UTF_8 = 0x0800;
const UNIX_HOSTS = new Set([3, 19]);
/** DOS, OS/2, NTFS, VFAT: no name there holds a backslash. Java and Go say DOS wherever they run. */
const BACKSLASH_HOSTS = new Set([0, 6, 10, 14]);
const EXTRA = { zip64: 0x0001, timestamp: 0x5455, unicodePath: 0x7075 };

/** Those of an entry's extra fields that are read here. */
interface ExtraFields {
  zip64?: Buffer;
  timestamp?: Buffer;
  unicodePath?: Buffer;
}

/** From 0x80 and from 0xe0. The lines between, from 0xb0, are those of CP866, which is known here. */
const CP437 = [
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»',
  'αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0',
] as const;

/** Length of the central record at `at`, everything variable included. */
export function centralLength(directory: Buffer, at: number): number {
  if (at + 46 > directory.length || directory.readUInt32LE(at) !== 0x02014b50) {
    throw refused('the central directory of the zip is damaged');
  }
  const length =
    46 + directory.readUInt16LE(at + 28) + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  if (at + length > directory.length) throw refused('the central directory of the zip is damaged');
  return length;
}

/** Reads the central record at `at`, known to lie inside (`centralLength`). */
export function zipEntry(directory: Buffer, at: number): ZipEntry {
  const nameEnd = at + 46 + directory.readUInt16LE(at + 28);
  const rawName = directory.subarray(at + 46, nameEnd);
  const extras = extraFields(directory, nameEnd, nameEnd + directory.readUInt16LE(at + 30));
  const flags = directory.readUInt16LE(at + 8);
  const host = directory.readUInt8(at + 5);
  const isDos = BACKSLASH_HOSTS.has(host) && !(flags & UTF_8);
  const name = withSlashes(entryName(rawName, extras.unicodePath, isDos), host);
  if (flags & ENCRYPTED)
    throw refused('it is encrypted', { entry: name, hint: 'Pack the code without a password.' });
  const { size, compressedSize, headerOffset } = entrySizes(directory, at, extras.zip64);
  const { type, executable } = entryType(directory, at, name);
  return {
    name,
    rawName,
    type,
    executable,
    mtime: timestamp(extras.timestamp),
    method: entryMethod(directory.readUInt16LE(at + 10), name),
    crc: directory.readUInt32LE(at + 16),
    compressedSize,
    size,
    headerOffset,
  };
}

/** How much of the archive has to be there to find the entry's data. */
export const zipHeaderEnd = ({ headerOffset, rawName }: ZipEntry): number =>
  headerOffset + 30 + rawName.length;

/** Where the entry's data starts; the local header has to tell the same story as the central directory. */
export function zipDataStart(source: ArchiveSource, entry: ZipEntry, dataEnd: number): number {
  const { headerOffset, rawName } = entry;
  const header = source.read(headerOffset, zipHeaderEnd(entry) - headerOffset);
  const start = headerOffset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
  const agrees =
    header.readUInt32LE(0) === 0x04034b50 &&
    (header.readUInt16LE(6) & ENCRYPTED) === 0 &&
    entryMethod(header.readUInt16LE(8), entry.name) === entry.method &&
    header.readUInt16LE(26) === rawName.length &&
    rawName.equals(header.subarray(30)) &&
    start + entry.compressedSize <= dataEnd;
  if (!agrees) throw refused('an entry differs from the central directory of the zip', { entry: entry.name });
  return start;
}

function entryMethod(method: number, name: string): ZipMethod {
  if (method === 0) return 'stored';
  if (method === 8) return 'deflated';
  throw refused(`compression method ${method} of the zip is not supported`, {
    entry: name,
    hint: 'Pack the code with the usual method, deflate.',
  });
}

function entryType(directory: Buffer, at: number, name: string): Pick<ZipEntry, 'type' | 'executable'> {
  const unix = UNIX_HOSTS.has(directory.readUInt8(at + 5));
  const mode = unix ? directory.readUInt32LE(at + 38) >>> 16 : 0;
  const executable = (mode & 0o111) !== 0;
  const plain = name.endsWith('/') ? 'directory' : 'file';
  switch (mode & 0o170000) {
    case 0:
    case 0o100000:
      return { type: plain, executable };
    case 0o040000:
      return { type: 'directory', executable };
    case 0o120000:
      return { type: 'symlink', executable };
    default:
      throw refused('it holds a device, pipe or socket', { entry: name });
  }
}

function entrySizes(directory: Buffer, at: number, zip64: Buffer | undefined) {
  let used = 0;
  // Only fields that do not fit stand in the zip64 extra field, in this order.
  const field = (offset: number): number => {
    const value = directory.readUInt32LE(at + offset);
    if (value !== 0xffffffff || zip64 === undefined) return value;
    if (used + 8 > zip64.length) throw refused('a zip64 field is damaged');
    used += 8;
    return Number(zip64.readBigUInt64LE(used - 8));
  };
  const size = field(24);
  const compressedSize = field(20);
  return { size, compressedSize, headerOffset: field(42) };
}

function entryName(raw: Buffer, unicodePath: Buffer | undefined, isDos: boolean): string {
  const overrides =
    unicodePath !== undefined &&
    unicodePath.length > 5 &&
    unicodePath.readUInt8(0) === 1 &&
    unicodePath.readUInt32LE(1) === crc32(raw);
  // Without the UTF-8 flag too: most tools of today write UTF-8 and do not set it. What is none, on DOS and Windows, is CP437.
  if (isDos && !overrides && !isUtf8(raw)) return fromCp437(raw);
  return (overrides ? unicodePath.subarray(5) : raw).toString('utf8');
}

function fromCp437(raw: Buffer): string {
  const [low, high] = CP437;
  const lines = new TextDecoder('ibm866').decode(raw);
  return raw.toString('latin1').replace(/[\x80-\xff]/g, (byte, at) => {
    const code = byte.charCodeAt(0);
    return (code < 0xb0 ? low[code - 0x80] : code < 0xe0 ? lines[at] : high[code - 0xe0])!;
  });
}

/**
 * Some tools of Windows separate folders by backslashes. A name with both is left as it is, and refused: which of them separates
 * cannot be told.
 */
function withSlashes(name: string, host: number): string {
  return BACKSLASH_HOSTS.has(host) && !name.includes('/') ? name.replaceAll('\\', '/') : name;
}

function timestamp(field: Buffer | undefined): number | undefined {
  return field !== undefined && field.length >= 5 && field.readUInt8(0) & 1
    ? field.readInt32LE(1)
    : undefined;
}

/** Between `start` and `end` of the directory; of several of one kind the last. */
function extraFields(directory: Buffer, start: number, end: number): ExtraFields {
  const fields: ExtraFields = {};
  for (let at = start; at + 4 <= end; ) {
    const id = directory.readUInt16LE(at);
    const next = at + 4 + directory.readUInt16LE(at + 2);
    if (next > end) break;
    if (id === EXTRA.timestamp) fields.timestamp = directory.subarray(at + 4, next);
    else if (id === EXTRA.zip64) fields.zip64 = directory.subarray(at + 4, next);
    else if (id === EXTRA.unicodePath) fields.unicodePath = directory.subarray(at + 4, next);
    at = next;
  }
  return fields;
}
