import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import type { Header } from 'tar-stream';
import { systemCode } from '../../base/errors.ts';
import { extract } from '../../base/parts/tar.ts';
import type { ArchiveFormat } from './archiveFormat.ts';
import { type ArchiveSource, pieces } from './archiveSource.ts';
import { refused } from './refused.ts';
import type { TreeLimits, TreeWriter } from './treeWriter.ts';

const BLOCK = 512;
/** Headers, long names and padding of an entry, bytes: real ones take 512 to 2,560. */
const ENTRY_OVERHEAD = 4096;

export async function unpackTar(
  source: ArchiveSource,
  format: Exclude<ArchiveFormat, 'zip'>,
  tree: TreeWriter,
  limits: TreeLimits,
  signal?: AbortSignal,
): Promise<void> {
  const untar = extract();
  let total = 0;
  const maxTotal = limits.maxBytes + limits.maxEntries * ENTRY_OVERHEAD;
  async function* counted(chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      total += chunk.length;
      if (total > maxTotal) throw refused(`it unpacks to more than ${limits.maxBytes} bytes`);
      yield chunk;
    }
  }
  const packed = Readable.from(pieces(source, 0, source.size));
  const options = signal ? { signal } : {};
  const feeding =
    format === 'tar'
      ? pipeline(packed, counted, untar, options)
      : pipeline(packed, decompressor(format), counted, untar, options);
  // Awaited below; a refusal in the loop ends it too, and is what is told then.
  feeding.catch(() => {});
  let end = 0;
  try {
    for await (const entry of untar) {
      await addEntry(tree, entry);
      const { byteOffset, size, type } = entry.header as Header & { readonly byteOffset: number };
      end = byteOffset + (type === 'directory' ? 0 : Math.ceil(size / BLOCK) * BLOCK);
    }
    await feeding;
  } catch (error) {
    signal?.throwIfAborted();
    throw damaged(error);
  } finally {
    packed.destroy();
  }
  // Without it a tar cut between two entries would look whole.
  if (total < end + BLOCK) throw refused('it is truncated: the end mark of the tar is missing');
}

/** What tar-stream iterates over; its own types do not export it. */
type TarEntry = AsyncIterable<unknown> & { readonly header: Header; resume(): unknown };

async function addEntry(tree: TreeWriter, entry: TarEntry): Promise<void> {
  const { name, type, size, mode, mtime, linkname } = entry.header;
  switch (type) {
    case 'file':
    case 'contiguous-file': {
      const executable = (mode & 0o111) !== 0;
      const file = tree.openFile(name, size, { executable, mtime: mtime.getTime() / 1000 });
      try {
        for await (const piece of entry) file.write(piece as Uint8Array);
        file.end();
      } finally {
        file.close();
      }
      return;
    }
    case 'directory':
      tree.addDirectory(name);
      break;
    case 'symlink':
      tree.addSymlink(name, linkname ?? '');
      break;
    case 'link':
      tree.addCopy(name, linkname ?? '');
      break;
    default:
      throw refused('it holds a device, a pipe, or a kind of entry that is not supported', { entry: name });
  }
  entry.resume();
}

function decompressor(format: 'tar.gz' | 'tar.zst') {
  const options = { chunkSize: 256 * 1024 };
  return format === 'tar.gz' ? createGunzip(options) : createZstdDecompress(options);
}

/** The system's errors are told as they are; what the decompressor or the tar reader complain of is the archive. */
function damaged(error: unknown): unknown {
  const code = systemCode(error);
  const ofArchive =
    error instanceof Error &&
    error.constructor === Error &&
    (code === undefined || code.startsWith('Z_') || code.startsWith('ZSTD_'));
  return ofArchive ? refused('it is damaged or truncated, or holds no tar', { cause: error }) : error;
}
