import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Pack } from 'tar-stream';
import type { StateContext } from '../format/context.ts';
import type { Head } from '../format/head.ts';
import type { Tree } from '../format/tree.ts';
import { type LoadedSnapshot, loadSnapshot } from './loadSnapshot.ts';
import { readContents } from './readContents.ts';
import { findSnapshot, requireHead } from './snapshots.ts';

export interface ExportOptions {
  /** Undefined: the newest. */
  readonly sequence: number | undefined;
  readonly output: Writable;
  /** As agents before this format wrote it. */
  readonly gzip: boolean;
  readonly signal: AbortSignal;
}

const GZIP_LEVEL = 1;

/** Writes a snapshot as a tar archive to `output`, which is not ended. */
export async function exportTar(
  context: StateContext,
  { sequence, output, gzip, signal }: ExportOptions,
): Promise<{ readonly sequence: number }> {
  const head = await requireHead(context, signal);
  const record = findSnapshot(head, sequence);
  const snapshot = await loadSnapshot(context, record, signal);
  const { pack } = await import('../../../base/parts/tar.ts');
  const archive = pack();
  const options = { signal, end: false };
  const written = gzip
    ? pipeline(archive, createGzip({ level: GZIP_LEVEL }), output, options)
    : pipeline(archive, output, options);
  const fed = feed(context, snapshot, head, archive, signal).catch((error: unknown) => {
    archive.destroy(error as Error);
    throw error;
  });
  const [feeding, writing] = await Promise.allSettled([fed, written]);
  // What ended the feeding is the cause; the pipeline only saw its end.
  for (const outcome of [feeding, writing]) if (outcome.status === 'rejected') throw outcome.reason;
  return { sequence: record.sequence };
}

async function feed(
  context: StateContext,
  snapshot: LoadedSnapshot,
  head: Head,
  archive: Pack,
  signal: AbortSignal,
): Promise<void> {
  const { tree } = snapshot;
  const contents = readContents(context, snapshot, head, signal);
  for (let index = 0; index < tree.length; index++) {
    const entry = archive.entry(headerOf(tree, index));
    for (let left = tree.size(index); left > 0; ) {
      const { value } = await contents.next();
      const { bytes } = value as { bytes: Buffer };
      left -= bytes.length;
      if (!entry.write(bytes)) await drained(entry);
    }
    if (tree.type(index) === 'file') entry.end(Buffer.alloc(0));
  }
  archive.finalize();
}

/** Resolves as well when the stream fails: the pipeline tells of that. */
function drained(stream: ReturnType<Pack['entry']>): Promise<void> {
  return new Promise((resolve) => {
    for (const event of ['drain', 'close', 'error'] as const) stream.once(event, () => resolve());
  });
}

function headerOf(tree: Tree, index: number): Parameters<Pack['entry']>[0] {
  const type = tree.type(index);
  const path = toUtf8(tree.paths[index]!);
  const common = { mode: tree.mode(index), mtime: new Date(tree.mtime(index) / 1000) };
  if (type === 'folder') return { ...common, name: `${path}/`, type: 'directory' };
  if (type === 'file') return { ...common, name: path, type: 'file', size: tree.size(index) };
  return { ...common, name: path, type: 'symlink', linkname: toUtf8(tree.targets.get(index)!) };
}

/** Names in a tar archive are UTF-8: bytes that are not become U+FFFD there. */
const toUtf8 = (path: string): string => Buffer.from(path, 'latin1').toString('utf8');
