import { readdirSync } from 'node:fs';
import { RuntimeError } from '../../../base/errors.ts';
import { makeFolders } from '../../../base/makeFolders.ts';
import type { StateContext } from '../format/context.ts';
import { below, fromText, toSystemPath } from '../format/entryPath.ts';
import { RESERVED_NAME } from '../format/format.ts';
import { checkLimits } from '../format/limits.ts';
import type { Tree } from '../format/tree.ts';
import { intoPlace } from '../local/intoPlace.ts';
import { removeTree } from '../local/removeTree.ts';
import type { RestoreOptions } from '../local/restoreReport.ts';
import { openRoot } from '../local/treeRoot.ts';
import { loadSnapshot } from '../read/loadSnapshot.ts';
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
  const snapshot = path === undefined ? whole : { ...whole, tree: part(whole.tree, path, record.sequence) };
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

/** The entry at `path`, everything below it, and the folders above it. */
function part(tree: Tree, path: string, sequence: number): Tree {
  const wanted = fromText(path.replace(/^\.?\/+|\/+$/g, ''));
  const others = new Set<number>();
  for (const [index, entry] of tree.paths.entries()) {
    if (`${entry}/`.startsWith(`${wanted}/`) || wanted.startsWith(`${entry}/`)) continue;
    others.add(index);
  }
  const rest = tree.without(others);
  if (rest.paths.includes(wanted)) return rest;
  throw new RuntimeError('not-found', `snapshot ${sequence} has no ${JSON.stringify(path)}`, {
    op: 'state.restore',
    path,
    hint: '`runtime state show` lists what it has.',
  });
}
