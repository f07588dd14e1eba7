import { BLOCK, Blocks } from './blocks.ts';
import { type Header, parseHeader } from './header.ts';
import { type PaxRecords, parsePax, paxValue } from './pax.ts';
import { decimal, gnuSparse, paxSparse, type Segment } from './sparse.ts';
import { TarError } from './tarError.ts';

/*
 * The room of tar archives. Reading: `readTar` takes `blocks`, each with its `header`, with what stands before it (`pax`) and with holes
 * (`sparse`); what is wrong is a `tarError`. Writing: `tarHeader` makes the blocks that stand before a file's bytes.
 */

/** One thing in a tar. Names are bytes, as the archive has them. */
export interface TarEntry {
  readonly type: 'file' | 'directory' | 'symlink' | 'link' | 'device' | 'fifo';
  readonly name: Buffer;
  /** What a symlink points to; what a link is another name of. */
  readonly linkname: Buffer;
  /** Permission bits. */
  readonly mode: number;
  /** Seconds since the epoch, with fractions where the archive has them. */
  readonly mtime: number;
  /** Of a file as it is unpacked, holes included, bytes. */
  readonly size: number;
  /** A file's bytes with their place in it; what no piece covers is zeros. To be read before the next entry, if at all. */
  readonly pieces: AsyncIterable<TarPiece>;
}

export interface TarPiece {
  readonly at: number;
  readonly bytes: Buffer;
}

/** Long names and pax headers are held in memory. */
const MAX_EXTENSION = 1024 * 1024;

/** What GNU tar and pax put before an entry, for that one or for all that follow. */
interface Extensions {
  all: PaxRecords;
  pax: PaxRecords;
  longName: Buffer | undefined;
  longLink: Buffer | undefined;
}

/**
 * The entries of a tar as GNU tar reads them: v7, ustar, pax and GNU, with volume labels and every kind of sparse file. Archives
 * that were joined are read to the end. Throws `TarError` for one that is damaged, truncated (also where only the end
 * mark is missing), or holds what is not an entry of one archive (a part of several volumes).
 */
export async function* readTar(chunks: AsyncIterable<Buffer>): AsyncGenerator<TarEntry> {
  const blocks = new Blocks(chunks);
  const none = (all: PaxRecords): Extensions => ({ all, pax: [], longName: undefined, longLink: undefined });
  let extensions = none([]);
  let ended = false;
  try {
    for (let block = await blocks.take(BLOCK); block; block = await blocks.take(BLOCK)) {
      const header = parseHeader(block);
      ended = header === undefined;
      if (!header || (await extend(extensions, header, blocks))) continue;
      const entry = await openEntry(header, block, extensions, blocks);
      extensions = none(extensions.all);
      yield entry;
      for await (const _ of entry.pieces);
    }
    // Without it a tar cut between two entries would look whole.
    if (!ended) throw new TarError('it is truncated: the end mark of the tar is missing');
  } finally {
    await blocks.close();
  }
}

/** Takes what only says something of entries to come; false: it is an entry. */
async function extend(extensions: Extensions, header: Header, blocks: Blocks): Promise<boolean> {
  const { type, size } = header;
  if (type === 'V') {
    await skip(blocks, size + padding(size));
    return true;
  }
  if (!'xXgLK'.includes(type)) return false;
  if (!(size >= 0 && size <= MAX_EXTENSION)) throw new TarError('a header of the tar is too large');
  const bytes = (size === 0 ? Buffer.alloc(0) : await blocks.take(size)) ?? truncated();
  await skip(blocks, padding(size));
  const nul = bytes.indexOf(0);
  const name = nul === -1 ? bytes : bytes.subarray(0, nul);
  if (type === 'L') extensions.longName = name;
  else if (type === 'K') extensions.longLink = name;
  else if (type === 'g') extensions.all = [...extensions.all, ...parsePax(bytes)];
  else extensions.pax = parsePax(bytes);
  return true;
}

async function openEntry(
  header: Header,
  block: Buffer,
  { all, pax, longName, longLink }: Extensions,
  blocks: Blocks,
): Promise<TarEntry> {
  const value = (key: string) => paxValue(pax, key) ?? paxValue(all, key);
  const given = longName ?? value('path') ?? header.name;
  const type = typeOf(header, given);
  try {
    const size = value('size')?.toString('latin1');
    // Whatever they say, nothing follows the headers of others.
    const stored =
      type !== 'file' && header.type !== 'D' ? 0 : size === undefined ? header.size : decimal(size);
    if (stored < 0) throw new TarError('a size is negative');
    const sparse =
      header.type === 'S'
        ? { map: await gnuSparse(block, blocks), used: 0 }
        : type === 'file'
          ? await paxSparse(pax, blocks)
          : undefined;
    const held = stored - (sparse?.used ?? 0);
    const segments = sparse?.map.segments ?? [{ at: 0, length: held }];
    if (segments.reduce((sum, { length }) => sum + length, 0) !== held) {
      throw new TarError('the map of a sparse file does not fit its bytes');
    }
    return {
      type,
      name: paxValue(pax, 'GNU.sparse.name') ?? given,
      linkname: longLink ?? value('linkpath') ?? header.linkname,
      mode: header.mode & 0o7777,
      mtime: seconds(value('mtime')) ?? header.mtime,
      size: type === 'file' ? (sparse?.map.size ?? held) : 0,
      pieces: piecesOf(blocks, segments, padding(held)),
    };
  } catch (error) {
    throw error instanceof TarError ? new TarError(error.message, given.toString()) : error;
  }
}

function typeOf({ type }: Header, name: Buffer): TarEntry['type'] {
  switch (type) {
    case '0':
    case '7':
    case 'S':
      // So the oldest kind writes a folder.
      return type === '0' && name.at(-1) === 0x2f ? 'directory' : 'file';
    case '1':
      return 'link';
    case '2':
      return 'symlink';
    case '3':
    case '4':
      return 'device';
    case '5':
    // Of an incremental backup: what comes after it lists the folder.
    case 'D':
      return 'directory';
    case '6':
      return 'fifo';
    case 'M':
      throw new TarError('it is one part of an archive of several volumes', name.toString());
    default:
      throw new TarError(`it holds an entry of the unknown type ${JSON.stringify(type)}`, name.toString());
  }
}

/** Read once, by whoever wants them; what is left of them is passed over before the next entry. */
async function* piecesOf(
  blocks: Blocks,
  segments: readonly Segment[],
  rest: number,
): AsyncGenerator<TarPiece> {
  for (const segment of segments) {
    let at = segment.at;
    for await (const bytes of blocks.pieces(segment.length)) {
      yield { at, bytes };
      at += bytes.length;
    }
  }
  await skip(blocks, rest);
}

async function skip(blocks: Blocks, length: number): Promise<void> {
  for await (const _ of blocks.pieces(length));
}

function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

function seconds(text: Buffer | undefined): number | undefined {
  const value = text?.toString('latin1');
  return value !== undefined && /^-?\d{1,15}(\.\d*)?$/.test(value) ? Number(value) : undefined;
}

function truncated(): never {
  throw new TarError('it is truncated');
}
