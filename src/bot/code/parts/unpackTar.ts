import { Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { systemCode } from '../../../base/errors.ts';
import { readTar, type TarEntry, TarError } from '../../../base/parts/tarReader.ts';
import type { ArchiveFormat } from '../archiveFormat.ts';
import { type ArchiveSource, pieces } from '../archiveSource.ts';
import { refused } from '../refused.ts';
import type { OpenFile, TreeLimits, TreeWriter } from '../treeWriter.ts';

/** Headers, long names and padding of an entry, bytes: real ones take 512 to 2,560. */
const ENTRY_OVERHEAD = 4096;

export async function unpackTar(
  source: ArchiveSource,
  format: Exclude<ArchiveFormat, 'zip'>,
  tree: TreeWriter,
  limits: TreeLimits,
  signal?: AbortSignal,
): Promise<void> {
  const packed = Readable.from(pieces(source, 0, source.size));
  const plain = format === 'tar' ? packed : packed.pipe(decompressor(format));
  packed.on('error', (error) => plain.destroy(error));
  try {
    for await (const entry of readTar(counted(plain, limits))) {
      signal?.throwIfAborted();
      await addEntry(tree, entry);
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw damaged(error);
  } finally {
    packed.destroy();
    plain.destroy();
  }
}

async function* counted(chunks: AsyncIterable<Buffer>, limits: TreeLimits): AsyncGenerator<Buffer> {
  let total = 0;
  const maxTotal = limits.maxBytes + limits.maxEntries * ENTRY_OVERHEAD;
  for await (const chunk of chunks) {
    total += chunk.length;
    if (total > maxTotal) throw refused(`it unpacks to more than ${limits.maxBytes} bytes`);
    yield chunk;
  }
}

async function addEntry(tree: TreeWriter, entry: TarEntry): Promise<void> {
  const name = entry.name.toString('utf8');
  switch (entry.type) {
    case 'file':
      return await addFile(tree, name, entry);
    case 'directory':
      return tree.addDirectory(name);
    case 'symlink':
      return tree.addSymlink(name, entry.linkname.toString('utf8'));
    case 'link':
      return tree.addCopy(name, entry.linkname.toString('utf8'));
    default:
      throw refused('it holds a device or a pipe', { entry: name });
  }
}

async function addFile(
  tree: TreeWriter,
  name: string,
  { size, mode, mtime, pieces }: TarEntry,
): Promise<void> {
  const file = tree.openFile(name, size, { executable: (mode & 0o111) !== 0, mtime });
  try {
    let end = 0;
    for await (const { at, bytes } of pieces) {
      writeZeros(file, at - end);
      file.write(bytes);
      end = at + bytes.length;
    }
    writeZeros(file, size - end);
    file.end();
  } finally {
    file.close();
  }
}

const zeros = Buffer.alloc(64 * 1024);

/** A hole counts as the bytes that reading it gives. */
function writeZeros(file: OpenFile, length: number): void {
  for (let left = length; left > 0; left -= zeros.length) file.write(zeros.subarray(0, left));
}

function decompressor(format: 'tar.gz' | 'tar.zst') {
  const options = { chunkSize: 256 * 1024 };
  return format === 'tar.gz' ? createGunzip(options) : createZstdDecompress(options);
}

/** The system's errors are told as they are; what the decompressor or the tar reader complain of is the archive. */
function damaged(error: unknown): unknown {
  if (error instanceof TarError) {
    return refused(error.message, error.entry === undefined ? {} : { entry: error.entry });
  }
  const code = systemCode(error);
  const ofArchive =
    error instanceof Error &&
    error.constructor === Error &&
    (code === undefined || code.startsWith('Z_') || code.startsWith('ZSTD_'));
  return ofArchive ? refused('it is damaged or truncated, or is not a tar', { cause: error }) : error;
}
