import type { Owner } from '../../base/owner.ts';
import { archiveFormat } from './archiveFormat.ts';
import type { ArchiveSource } from './archiveSource.ts';
import type { TreeEntry } from './treeEntry.ts';
import { type TreeLimits, TreeWriter } from './treeWriter.ts';

/** Files, symlinks and directories. A large `node_modules` has 100,000. */
export const MAX_ENTRIES = 250_000;

export interface UnpackOptions {
  /** Whom everything belongs to; undefined: whoever we are. */
  readonly owner?: Owner | undefined;
  /** Of all unpacked files together. */
  readonly maxBytes: number;
  readonly maxEntries?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface UnpackedTree {
  readonly files: number;
  /** Of all files together. */
  readonly bytes: number;
  readonly entries: readonly TreeEntry[];
}

/** Unpacks into `directory`, which is empty and writable for no other user. After an error its content is useless. */
export async function unpackTree(
  source: ArchiveSource,
  directory: string,
  { owner, maxBytes, maxEntries = MAX_ENTRIES, signal }: UnpackOptions,
): Promise<UnpackedTree> {
  const limits: TreeLimits = { maxBytes, maxEntries };
  const tree = new TreeWriter(directory, owner, limits);
  const format = archiveFormat(source);
  if (format === 'zip') {
    const { unpackZip } = await import('./unpackZip.ts');
    await unpackZip(source, tree, limits, signal);
  } else {
    const { unpackTar } = await import('./parts/unpackTar.ts');
    await unpackTar(source, format, tree, limits, signal);
  }
  return { ...tree.finish(), entries: [...tree.entries.values()] };
}
