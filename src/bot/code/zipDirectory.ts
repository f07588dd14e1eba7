import type { ArchiveSource } from './archiveSource.ts';
import { refused } from './refused.ts';
import { centralLength, type ZipEntry, zipEntry } from './zipEntry.ts';

export interface ZipDirectory {
  readonly entries: readonly ZipEntry[];
  /** Where the entries' data ends at the latest. */
  readonly dataEnd: number;
}

interface EndRecord {
  readonly isZip64: boolean;
  /** Of all entries; without zip64 modulo 65,536. */
  readonly count: number;
  readonly size: number;
  readonly offset: number;
  /** Where the end record itself starts. */
  readonly at: number;
}

const CENTRAL = 0x02014b50;
const END_LENGTH = 22;
const LOCATOR_LENGTH = 20;
/** Bytes of central directory, held in memory: 250,000 entries with names of 200 bytes. */
const MAX_DIRECTORY = 64 * 1024 * 1024;

/** Reads the central directory of a zip (zip64 included), all of it, before anything is unpacked. */
export function zipDirectory(source: ArchiveSource, maxEntries: number): ZipDirectory {
  const end = endRecord(source);
  if (end.count > maxEntries) throw tooMany(maxEntries);
  if (end.offset + end.size > end.at) throw refused('the central directory of the zip is damaged');
  if (end.size > MAX_DIRECTORY) throw refused('the central directory of the zip is too large');
  const shift = isDirectory(source, end, end.offset) ? 0 : end.at - end.size - end.offset;
  const dataEnd = end.offset + shift;
  const directory = source.read(dataEnd, end.size);
  const entries: ZipEntry[] = [];
  // All that there are, whatever their number is said to be: less than the whole code would run as well.
  for (let at = 0; at + 4 <= directory.length && directory.readUInt32LE(at) === CENTRAL; ) {
    const length = centralLength(directory, at);
    const entry = zipEntry(directory, at);
    entries.push(shift === 0 ? entry : { ...entry, headerOffset: entry.headerOffset + shift });
    if (entries.length > maxEntries) throw tooMany(maxEntries);
    at += length;
  }
  // Without zip64 the number has two bytes: tools that know none write what these hold of 65,536 and more.
  if ((end.isZip64 ? entries.length : entries.length % 0x10000) !== end.count)
    throw refused('the central directory of the zip is damaged');
  return { entries, dataEnd };
}

/** Whether a zip ends there, whatever stands before it: a script, a program that unpacks it. */
export function hasZipEnd(source: ArchiveSource): boolean {
  try {
    return zipDirectory(source, Number.POSITIVE_INFINITY).entries.length > 0;
  } catch {
    return false;
  }
}

const isBehindDirectory = (source: ArchiveSource, size: number, at: number): boolean =>
  size > 0 && size <= at && source.read(at - size, 4).readUInt32LE(0) === CENTRAL;

/** Whether the first record, or the end where there is none, stands at `at`. Where bytes were put before the zip, it does not. */
function isDirectory(source: ArchiveSource, { size, at: end }: EndRecord, at: number): boolean {
  return size === 0 ? at === end : source.read(at, 4).readUInt32LE(0) === CENTRAL;
}

function tooMany(maxEntries: number) {
  return refused(`it holds more than ${maxEntries} entries`);
}

function endRecord(source: ArchiveSource): EndRecord {
  const tailStart = Math.max(0, source.size - END_LENGTH - 0xffff - LOCATOR_LENGTH);
  const tail = source.read(tailStart, source.size - tailStart);
  const find = (isEnd: (behind: number, at: number) => boolean): number => {
    for (let i = tail.length - END_LENGTH; i >= 0; i--) {
      if (tail.readUInt32LE(i) !== 0x06054b50) continue;
      if (isEnd(tail.length - i - END_LENGTH - tail.readUInt16LE(i + 20), i)) return i;
    }
    return -1;
  };
  // The comment reaches exactly to the end: otherwise this is data that looks like an end record.
  let i = find((behind) => behind === 0);
  // Or a line end and the like was put behind the zip: then it stands right behind the directory.
  if (i < 0)
    i = find(
      (behind, at) => behind > 0 && isBehindDirectory(source, tail.readUInt32LE(at + 12), tailStart + at),
    );
  if (i >= 0) {
    const locator = i - LOCATOR_LENGTH;
    if (locator >= 0 && tail.readUInt32LE(locator) === 0x07064b50) {
      return zip64EndRecord(source, Number(tail.readBigUInt64LE(locator + 8)));
    }
    const count = tail.readUInt16LE(i + 10);
    if (tail.readUInt32LE(i + 4) !== 0 || tail.readUInt16LE(i + 8) !== count) throw splitZip();
    const at = tailStart + i;
    const [size, offset] = [tail.readUInt32LE(i + 12), tail.readUInt32LE(i + 16)];
    return { isZip64: false, count, size, offset, at };
  }
  throw refused('it is a zip without its end: truncated, or with much added after it');
}

function zip64EndRecord(source: ArchiveSource, at: number): EndRecord {
  const record = source.read(at, 56);
  if (record.readUInt32LE(0) !== 0x06064b50) throw refused('the zip64 end record is damaged');
  const count = Number(record.readBigUInt64LE(32));
  if (record.readBigUInt64LE(16) !== 0n || Number(record.readBigUInt64LE(24)) !== count) throw splitZip();
  const [size, offset] = [Number(record.readBigUInt64LE(40)), Number(record.readBigUInt64LE(48))];
  return { isZip64: true, count, size, offset, at };
}

function splitZip() {
  return refused('it is one part of a split zip', { hint: 'Pack the code as a single file.' });
}
