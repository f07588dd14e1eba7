import { Readable } from 'node:stream';
import { setImmediate as yieldToEvents } from 'node:timers/promises';
import { constants, crc32, createInflateRaw, inflateRawSync } from 'node:zlib';
import { type ArchiveSource, pieces } from './archiveSource.ts';
import { entryPath } from './entryPath.ts';
import { createInflater, type Inflater } from './inflater.ts';
import { writePlaced } from './placedFile.ts';
import { refused } from './refused.ts';
import { type SharedFiles, shareFiles } from './shareFiles.ts';
import type { TreeLimits, TreeWriter } from './treeWriter.ts';
import { type ZipDirectory, zipDirectory } from './zipDirectory.ts';
import { type ZipEntry, zipDataStart, zipHeaderEnd } from './zipEntry.ts';

/**
 * Bytes, packed and unpacked, up to which an entry is inflated at once and on this thread: for files of a bot's usual
 * size that takes less than handing them to the thread pool and back. Larger ones go through it in pieces.
 */
const AT_ONCE = 1024 * 1024;
/** Bytes and entries after which other work gets its turn: a few milliseconds. */
const TURN_BYTES = 2 * 1024 * 1024;
const TURN_ENTRIES = 100;

export async function unpackZip(
  source: ArchiveSource,
  tree: TreeWriter,
  limits: TreeLimits,
  signal?: AbortSignal,
): Promise<void> {
  const directory = await readDirectory(source, limits.maxEntries);
  const { entries } = directory;
  const declared = entries.reduce((sum, { size }) => sum + size, 0);
  if (!(declared <= limits.maxBytes)) {
    throw refused(`it unpacks to ${declared} bytes, more than the ${limits.maxBytes} allowed`, {
      hint: 'Make the code smaller, or raise MAX_CODE_SIZE_MB.',
    });
  }
  const inflater = createInflater();
  const second = hasEachNameOnce(entries) ? source.secondThread : undefined;
  const shared =
    second &&
    shareFiles<ZipEntry>(second, (job, entry) =>
      writePlaced(job, inflateAtOnce(source, entry, job.start, inflater)),
    );
  try {
    await unpackEntries(source, tree, directory, { shared, signal });
    await shared?.end();
  } finally {
    shared?.stop();
  }
}

/** Of an archive that is still on its way by its end; where that is not all of it, or looks wrong, by the whole. */
async function readDirectory(source: ArchiveSource, maxEntries: number): Promise<ZipDirectory> {
  try {
    return zipDirectory(source, maxEntries);
  } catch (error) {
    const rest = source.arrived?.(source.size);
    if (!rest) throw error;
    await rest;
    return zipDirectory(source, maxEntries);
  }
}

interface Unpacking {
  readonly shared: SharedFiles<ZipEntry> | undefined;
  readonly signal: AbortSignal | undefined;
}

async function unpackEntries(
  source: ArchiveSource,
  tree: TreeWriter,
  { entries, dataEnd }: ZipDirectory,
  { shared, signal }: Unpacking,
): Promise<void> {
  let turnBytes = 0;
  let turnEntries = 0;
  for (const entry of entries) {
    turnBytes += entry.size;
    turnEntries += 1;
    if (turnBytes > TURN_BYTES || turnEntries > TURN_ENTRIES) {
      await yieldToEvents();
      signal?.throwIfAborted();
      turnBytes = 0;
      turnEntries = 0;
    }
    const header = source.arrived?.(zipHeaderEnd(entry));
    if (header) await header;
    const start = zipDataStart(source, entry, dataEnd);
    const data = source.arrived?.(start + entry.compressedSize);
    if (data) await data;
    if (entry.type === 'directory') {
      if (entry.size > 0) throw refused('a directory holds bytes', { entry: entry.name });
      tree.addDirectory(entry.name);
    } else if (Math.max(entry.size, entry.compressedSize) <= AT_ONCE) {
      if (shared && entry.type === 'file') {
        const job = { ...tree.placeFile(entry.name, entry.size, entry), ...zipJob(entry, start) };
        const added = shared.add(job, entry);
        if (added) await added;
        continue;
      }
      const bytes = inflateAtOnce(source, entry, start);
      if (entry.type === 'symlink') tree.addSymlink(entry.name, bytes.toString('utf8'));
      else tree.addFile(entry.name, bytes, entry);
    } else if (entry.type === 'symlink') {
      throw refused('a symlink has an empty target or one that is too long', { entry: entry.name });
    } else {
      await inflateInPieces(source, tree, entry, start, signal);
    }
  }
}

/** Of two of one name the last one stays, which takes an order. */
function hasEachNameOnce(entries: readonly ZipEntry[]): boolean {
  return new Set(entries.map(({ name }) => entryPath(name))).size === entries.length;
}

function zipJob({ compressedSize, size, crc, method }: ZipEntry, start: number) {
  return { start, packedSize: compressedSize, size, crc, isStored: method === 'stored' };
}

/** Its bytes are good until the next is inflated. */
function inflateAtOnce(source: ArchiveSource, entry: ZipEntry, start: number, inflater?: Inflater): Buffer {
  const packed = source.read(start, entry.compressedSize);
  const bytes =
    entry.method === 'stored' ? packed : (inflater?.(packed, entry.size) ?? inflate(packed, entry));
  checkContent(entry, bytes.length, crc32(bytes));
  return bytes;
}

function inflate(packed: Buffer, entry: ZipEntry): Buffer {
  try {
    return inflateRawSync(packed, {
      // One byte more than declared: what holds more is found out, and the output is one piece of memory.
      chunkSize: Math.max(constants.Z_MIN_CHUNK, entry.size + 1),
      maxOutputLength: entry.size + 1,
    });
  } catch (cause) {
    throw damaged(entry, cause);
  }
}

async function inflateInPieces(
  source: ArchiveSource,
  tree: TreeWriter,
  entry: ZipEntry,
  start: number,
  signal?: AbortSignal,
): Promise<void> {
  const file = tree.openFile(entry.name, entry.size, entry);
  try {
    let size = 0;
    let crc = 0;
    for await (const piece of unpackedPieces(source, entry, start)) {
      signal?.throwIfAborted();
      size += piece.length;
      if (size > entry.size) break;
      crc = crc32(piece, crc);
      file.write(piece);
    }
    checkContent(entry, size, crc);
    file.end();
  } finally {
    file.close();
  }
}

async function* unpackedPieces(
  source: ArchiveSource,
  entry: ZipEntry,
  start: number,
): AsyncGenerator<Buffer> {
  const packed = pieces(source, start, start + entry.compressedSize);
  if (entry.method === 'stored') {
    yield* packed;
    return;
  }
  const inflater = createInflateRaw({ chunkSize: 256 * 1024 });
  const input = Readable.from(packed);
  input.on('error', (error) => inflater.destroy(error));
  try {
    yield* input.pipe(inflater);
  } catch (cause) {
    throw damaged(entry, cause);
  } finally {
    input.destroy();
    inflater.destroy();
  }
}

function checkContent(entry: ZipEntry, size: number, crc: number): void {
  if (size !== entry.size)
    throw refused('a file does not have the size that the zip declares', { entry: entry.name });
  if (crc !== entry.crc)
    throw refused('a file does not have the checksum (CRC-32) of the zip', { entry: entry.name });
}

/** Only errors of zlib; a failing disk or a refusal is told as it is. */
function damaged(entry: ZipEntry, cause: unknown): unknown {
  const code = String((cause as { code?: unknown }).code);
  if (!code.startsWith('Z_') && code !== 'ERR_BUFFER_TOO_LARGE') return cause;
  return refused('a file cannot be decompressed', { entry: entry.name, cause });
}
