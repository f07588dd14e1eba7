import { readdirSync } from 'node:fs';
import { RuntimeError } from '../../../base/errors.ts';
import { makeFolders } from '../../../base/makeFolders.ts';
import type { StateContext } from '../format/context.ts';
import { below, toSystemPath } from '../format/entryPath.ts';
import { RESERVED_NAME } from '../format/format.ts';
import { checkLimits } from '../format/limits.ts';
import { intoPlace } from '../local/intoPlace.ts';
import { removeTree } from '../local/removeTree.ts';
import type { RestoreOptions } from '../local/restoreReport.ts';
import { openRoot } from '../local/treeRoot.ts';
import { loadSnapshot } from '../read/loadSnapshot.ts';
import { partOf } from '../read/partOf.ts';
import { findSnapshot, requireHead } from '../read/snapshots.ts';
import { buildTree } from './buildTree.ts';

export interface RestoreToOptions extends RestoreOptions {
  /** Undefined: the newest. */
  readonly sequence: number | undefined;
  /** One file, or a folder with all in it; undefined: the whole state. */
  readonly path: string | undefined;
}

export interface RestoredTo {
  readonly sequence: number;
  readonly entries: number;
  readonly bytes: number;
}

/** Puts a snapshot, or a part of it, into an empty directory, for people to look at. Nothing is ever replaced. */
export async function restoreTo(context: StateContext, options: RestoreToOptions): Promise<RestoredTo> {
  const { dir, sequence, path, signal } = options;
  makeFolders(dir);
  const root = openRoot(dir);
  if (readdirSync(toSystemPath(root.path)).length > 0) {
    throw new RuntimeError('refused', `${dir} is not empty`, {
      op: 'state.restore',
      path: dir,
      hint: 'Name a directory that does not exist yet.',
    });
  }
  const head = await requireHead(context, signal);
  const record = findSnapshot(head, sequence);
  const whole = await loadSnapshot(context, record, signal);
  const snapshot = path === undefined ? whole : { ...whole, tree: partOf(whole.tree, path, record.sequence) };
  checkLimits(snapshot.tree, options);
  try {
    await intoPlace({ ...options, root, begin: () => {} }, (base) =>
      buildTree(context, snapshot, { ...options, base, root, reuse: undefined, inline: head.blobs }),
    );
  } finally {
    removeTree(below(root.path, RESERVED_NAME));
  }
  return { sequence: record.sequence, entries: snapshot.tree.length, bytes: snapshot.tree.totals().bytes };
}
