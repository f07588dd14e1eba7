import { createHash } from 'node:crypto';
import { closeSync, constants, openSync } from 'node:fs';
import { setImmediate as yieldToEvents } from 'node:timers/promises';
import { fileSource, pieces } from './archiveSource.ts';
import type { TreeEntry } from './treeEntry.ts';
import type { TreeWriter } from './treeWriter.ts';

/** Files after which other work gets its turn: a few milliseconds. */
const TURN = 100;

/** Copies `entries` of the tree at `from`. Resolves with the hex SHA-256 of each file as it was read, by path. */
export async function copyTree(
  from: string,
  entries: readonly TreeEntry[],
  to: TreeWriter,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const digests = new Map<string, string>();
  for (const entry of entries) {
    if (entry.type === 'directory') to.addDirectory(entry.path);
    else if (entry.type === 'symlink') to.addSymlink(entry.path, entry.target);
    else {
      digests.set(entry.path, copyFile(`${from}/${entry.path}`, entry, to));
      if (digests.size % TURN === 0) await yieldToEvents();
      signal?.throwIfAborted();
    }
  }
  to.finish();
  return digests;
}

function copyFile(from: string, entry: TreeEntry & { type: 'file' }, to: TreeWriter): string {
  const sha256 = createHash('sha256');
  const fd = openSync(from, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const source = fileSource(fd);
    const file = to.openFile(entry.path, source.size, entry);
    try {
      for (const piece of pieces(source, 0, source.size)) {
        sha256.update(piece);
        file.write(piece);
      }
      file.end();
    } finally {
      file.close();
    }
  } finally {
    closeSync(fd);
  }
  return sha256.digest('hex');
}
