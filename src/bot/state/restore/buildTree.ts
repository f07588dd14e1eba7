import type { Owner } from '../../../base/owner.ts';
import type { StateContext } from '../format/context.ts';
import { below, type EntryPath, pathToText } from '../format/entryPath.ts';
import { blockCount } from '../format/format.ts';
import { staysInside } from '../format/linkTarget.ts';
import { isReusable } from '../local/isReusable.ts';
import type { RestoreProgress } from '../local/restoreReport.ts';
import type { TreeRoot } from '../local/treeRoot.ts';
import { TreeWriter } from '../local/treeWriter.ts';
import { fetchBlobs } from '../read/fetchBlobs.ts';
import { inlineBlob } from '../read/inlineBlob.ts';
import { asDamage, type LoadedSnapshot } from '../read/loadSnapshot.ts';
import { isWorthwhile } from './rangeWriter.ts';
import type { BlobTarget } from './writeBlobs.ts';

export interface BuildOptions {
  /** An empty folder, one character per byte. */
  readonly base: EntryPath;
  /** The final place of the tree: its links must stay inside it, and files that are there already may be taken over. */
  readonly root: TreeRoot;
  readonly reuse: TreeRoot | undefined;
  readonly owner: Owner | undefined;
  /** The head's table of blobs. */
  readonly inline: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly onProgress?: ((progress: RestoreProgress) => void) | undefined;
}

export interface Built {
  readonly fetchedBytes: number;
  readonly reusedBytes: number;
  finishFolders: TreeWriter['finishFolders'];
}

/** A block of a file. */
interface Use {
  readonly index: number;
  readonly block: number;
}

/** Builds a snapshot's tree and verifies every block. Throws `damaged` where an object is missing or has other bytes than it had. */
export async function buildTree(
  context: StateContext,
  snapshot: LoadedSnapshot,
  options: BuildOptions,
): Promise<Built> {
  const { tree, table } = snapshot;
  const { base, root, signal, onProgress } = options;
  const writer = new TreeWriter(tree, base, options.owner);
  const wanted = new Map<number, Use[]>();
  const totalBytes = tree.totals().bytes;
  let reusedBytes = 0;
  let fetchedBytes = 0;

  const want = (row: number, use: Use) => {
    const known = wanted.get(row);
    if (known) known.push(use);
    else wanted.set(row, [use]);
  };

  for (let index = 0; index < tree.length; index++) {
    const type = tree.type(index);
    const path = tree.paths[index]!;
    if (type === 'folder') writer.makeFolder(index);
    else if (type === 'link') {
      if (staysInside(path, tree.targets.get(index)!, root.path)) writer.makeLink(index);
      else context.warn('a link that leaves the state was not restored', { path: pathToText(path) });
    } else if (
      options.reuse &&
      isReusable(options.reuse, snapshot, index, options.owner) &&
      writer.linkFile(index, below(options.reuse.path, path))
    ) {
      reusedBytes += tree.size(index);
    } else {
      const uses = blocksOf(tree.blobs(index));
      if (blockCount(tree.size(index)) !== 1 || uses.length === 0) writer.makeFile(index, uses.length);
      for (const { row, block } of uses) want(row, { index, block });
    }
    if (index % 256 === 0) signal.throwIfAborted();
  }

  const isWhole = (index: number) => blockCount(tree.size(index)) === 1;
  const count = (row: number) => {
    fetchedBytes += wanted.get(row)!.length * table.size(row);
    onProgress?.({ bytes: reusedBytes + fetchedBytes, totalBytes });
  };
  const receive = (row: number, bytes: Buffer) => {
    for (const { index, block } of wanted.get(row)!) {
      if (isWhole(index)) writer.writeFile(index, bytes);
      else writer.writeBlock(index, block, bytes);
    }
    count(row);
  };
  const target: BlobTarget = {
    owner: options.owner,
    receive,
    jobsFor: (row) => {
      const jobs = wanted.get(row)!.map(({ index, block }) => writer.jobFor(index, block, isWhole(index)));
      return jobs.every((job) => job !== undefined) ? jobs : undefined;
    },
    received: (row) => {
      for (const { index } of wanted.get(row)!) if (!isWhole(index)) writer.blockWritten(index);
      count(row);
    },
    discard: (row) => {
      for (const { index } of wanted.get(row)!) if (isWhole(index)) writer.discardFile(index);
    },
  };

  const packed: number[] = [];
  for (const row of wanted.keys()) {
    if (table.frame(row)) packed.push(row);
    else receive(row, inlineBlob(context, table, row, options.inline));
  }
  const isLarge = isWorthwhile(packed.reduce((sum, row) => sum + table.size(row), 0));
  const write = isLarge
    ? (await import('../parts/writers.ts')).writeBlobs(context, table, packed, target, signal)
    : fetchBlobs(context, table, packed, receive, { signal });
  await write.catch((error: unknown) => {
    throw asDamage(error);
  });
  return { fetchedBytes, reusedBytes, finishFolders: (...args) => writer.finishFolders(...args) };
}

function* withHoles(blobs: Int32Array): Generator<{ row: number; block: number }> {
  let block = 0;
  for (const row of blobs) {
    if (row >= 0) yield { row, block };
    block += row < 0 ? -row : 1;
  }
}

const blocksOf = (blobs: Int32Array) => [...withHoles(blobs)];
