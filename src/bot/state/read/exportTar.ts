import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { TAR_END, type TarHeader, tarHeader, tarPadding } from '../../../base/tar/tarHeader.ts';
import type { StateContext } from '../format/context.ts';
import { type EntryPath, fromLooseText, ROOT } from '../format/entryPath.ts';
import type { Head } from '../format/head.ts';
import type { Tree } from '../format/tree.ts';
import { type LoadedSnapshot, loadSnapshot } from './loadSnapshot.ts';
import { partOf } from './partOf.ts';
import { readContents } from './readContents.ts';
import { findSnapshot, requireHead } from './snapshots.ts';

export interface ExportOptions {
  /** Undefined: the newest. */
  readonly sequence: number | undefined;
  /** A folder: what is below it, named from there; undefined: all. */
  readonly path?: string | undefined;
  readonly output: Writable;
  /** As agents before this format wrote it. */
  readonly gzip: boolean;
  readonly signal: AbortSignal;
  /** Bytes of files that are read, of all. */
  readonly onProgress?: (progress: { readonly bytes: number; readonly totalBytes: number }) => void;
}

const GZIP_LEVEL = 1;
/** Set-user-ID and set-group-ID. */
const SET_ID = 0o6000;

/** Writes a snapshot as a tar archive to `output`, which is not ended. */
export async function exportTar(
  context: StateContext,
  { sequence, path = '', output, gzip, signal, onProgress }: ExportOptions,
): Promise<{ readonly sequence: number }> {
  const head = await requireHead(context, signal);
  const record = findSnapshot(head, sequence);
  const whole = await loadSnapshot(context, record, signal);
  const above = fromLooseText(path);
  const snapshot = above === ROOT ? whole : { ...whole, tree: partOf(whole.tree, path, record.sequence) };
  const archive = archiveOf(context, snapshot, head, { signal, onProgress, above });
  const options = { signal, end: false };
  if (gzip) await pipeline(archive, createGzip({ level: GZIP_LEVEL }), output, options);
  else await pipeline(archive, output, options);
  return { sequence: record.sequence };
}

async function* archiveOf(
  context: StateContext,
  snapshot: LoadedSnapshot,
  head: Head,
  options: Pick<ExportOptions, 'signal'> & {
    readonly onProgress: ExportOptions['onProgress'];
    readonly above: EntryPath;
  },
): AsyncGenerator<Buffer> {
  const { signal, onProgress, above } = options;
  const { tree } = snapshot;
  const cut = above === ROOT ? 0 : above.length + 1;
  let totalBytes = 0;
  for (let index = 0; index < tree.length; index++) totalBytes += tree.size(index);
  let read = 0;
  const contents = readContents(context, snapshot, head, signal);
  for (let index = 0; index < tree.length; index++) {
    const size = tree.size(index);
    const name = tree.paths[index]!.slice(cut);
    // The folder itself, and those above it.
    if (name === '') continue;
    yield tarHeader(headerOf(tree, index, name));
    for (let left = size; left > 0; ) {
      const { value } = await contents.next();
      const { bytes } = value as { bytes: Buffer };
      left -= bytes.length;
      read += bytes.length;
      onProgress?.({ bytes: read, totalBytes });
      yield bytes;
    }
    yield tarPadding(size);
  }
  yield TAR_END;
}

function headerOf(tree: Tree, index: number, name: string): TarHeader {
  const type = tree.type(index);
  const target = tree.targets.get(index);
  return {
    type: type === 'folder' ? 'directory' : type === 'link' ? 'symlink' : 'file',
    name: Buffer.from(name, 'latin1'),
    linkname: target === undefined ? undefined : Buffer.from(target, 'latin1'),
    // The archive's owner is root, and a file of the bot's must not become a program that runs as whoever unpacks it.
    mode: tree.mode(index) & ~SET_ID,
    mtime: tree.mtime(index),
    size: tree.size(index),
  };
}
