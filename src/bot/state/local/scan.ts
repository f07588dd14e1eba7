import { type BigIntStats, closeSync, lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { systemCode } from '../../../base/errors.ts';
import { below, comparePaths, type EntryPath, pathOfBytes, ROOT, toSystemPath } from '../format/entryPath.ts';
import { RESERVED_NAME } from '../format/format.ts';
import { staysInside } from '../format/linkTarget.ts';
import type { EntryStat, Tree } from '../format/tree.ts';
import { entryStat, kindOf } from './entryStat.ts';
import { checkRoot, openBeneath, type TreeRoot, unscannable } from './treeRoot.ts';
import {
  isBeyondTime,
  isClosedByOthers,
  isLostAndFound,
  isTooLong,
  type Unsaveable,
  unsaveable,
} from './unsaveable.ts';

export interface Scan {
  /** The previous tree itself where `lstat` says the same of every entry as it did then. */
  readonly tree: Tree;
  /** Files whose content is not known from the previous tree. */
  readonly unread: readonly number[];
  /** Whether anything differs from the previous tree; `false` with nothing unread means: nothing has happened. */
  readonly changed: boolean;
  /** What cannot be saved. */
  readonly skipped: readonly Skipped[];
}

export interface Skipped {
  readonly path: EntryPath;
  readonly what: Unsaveable;
}

export interface ScanOptions {
  /**
   * For files that the previous tree knows from a manifest only: one whose ctime is older than this (µs) and whose
   * size and mtime agree is what the restore wrote.
   */
  readonly restoredAt: number;
  /** The bot's user. A file of this user, or of this process's, that this process cannot read makes the state unscannable. */
  readonly owner?: number | undefined;
}

/**
 * The tree at `root` as `lstat` shows it, taking over from `previous` the contents of files that have not changed.
 * Synchronous on purpose: awaiting each call costs twenty times as much. An idle daemon does nothing else, so that a tree of its own is only
 * made from the first entry on that was touched.
 */
export function scan(root: TreeRoot, previous: Tree, options: ScanOptions): Scan {
  checkRoot(root);
  let own: Tree | undefined;
  const unread: number[] = [];
  const skipped: Skipped[] = [];
  let cursor = 0;
  let changed = false;

  /** Until it is called, all that was found is as it was before the cursor. */
  const differing = (): Tree => {
    own ??= previous.upTo(cursor);
    return own;
  };

  const find = (path: EntryPath): number | undefined => {
    if (previous.paths[cursor] === path) return cursor;
    while (cursor < previous.length && comparePaths(previous.paths[cursor]!, path) < 0) {
      differing();
      cursor += 1;
      changed = true;
    }
    return previous.paths[cursor] === path ? cursor : undefined;
  };

  const skip = (path: EntryPath, what: Unsaveable): false => {
    skipped.push({ path, what });
    return false;
  };

  /** Whether it is in the tree. */
  const visit = (path: EntryPath, stat: BigIntStats): boolean => {
    const kind = kindOf(stat);
    const what = unsaveable(path, kind, stat);
    if (what) return skip(path, what);
    const entry = entryStat(stat, kind as EntryStat['type']);
    let target: EntryPath | undefined;
    if (entry.type === 'link') {
      target = readTarget(root, path);
      if (target === undefined) return false;
      if (!staysInside(path, target, root.path)) return skip(path, 'link that leaves the state');
    }
    const known = find(path);
    // What was saved once does not go for having been closed: then the state cannot be read.
    if (known === undefined && isClosedByOthers(root, path, stat, options.owner)) {
      return skip(path, "folder or file of another user's that may not be read");
    }
    if (isBeyondTime(entry)) skip(path, 'time stamp beyond the year 2540');
    if (!own && known !== undefined && previous.isUntouched(known, entry, target)) {
      cursor += 1;
      return true;
    }
    const tree = differing();
    if (known !== undefined) cursor += 1;
    const index = tree.add(path, entry, target);
    if (known === undefined || differs(previous, known, entry, target)) changed = true;
    if (entry.type !== 'file') return true;
    if (known !== undefined && contentKnown(previous, known, entry, options.restoredAt)) {
      tree.setContent(index, { blobs: previous.blobs(known), size: entry.size, doubtful: false });
    } else {
      unread.push(index);
    }
    return true;
  };

  const walk = (folder: EntryPath) => {
    for (const name of namesIn(root, folder)) {
      if (folder === '' && name === RESERVED_NAME) continue;
      const path = below(folder, name);
      if (isTooLong(root, path)) {
        skipped.push({ path, what: 'path that is too long for the system' });
        continue;
      }
      const stat = statOf(root, path);
      if (!stat || (folder === '' && isLostAndFound(root, name, stat))) continue;
      if (visit(path, stat) && kindOf(stat) === 'folder') walk(path);
    }
  };

  walk(ROOT);
  if (cursor < previous.length) {
    differing();
    changed = true;
  }
  return { tree: own ?? previous, unread, changed, skipped };
}

/** A folder that vanishes while we look is empty to us; the scan after this one sees that it is gone. */
function namesIn(root: TreeRoot, folder: EntryPath): string[] {
  const fd = openBeneath(root, folder, 'folder');
  if (fd === undefined) {
    checkRoot(root);
    return [];
  }
  try {
    return readdirSync(`/proc/self/fd/${fd}`, 'latin1').sort();
  } catch (error) {
    throw unscannable(`${root.path}/${folder}`, systemCode(error) ?? 'unknown error', error);
  } finally {
    closeSync(fd);
  }
}

function statOf(root: TreeRoot, path: EntryPath): BigIntStats | undefined {
  try {
    return lstatSync(toSystemPath(below(root.path, path)), { bigint: true });
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined;
    throw unscannable(`${root.path}/${path}`, systemCode(error) ?? 'unknown error', error);
  }
}

function readTarget(root: TreeRoot, path: EntryPath): EntryPath | undefined {
  try {
    return pathOfBytes(readlinkSync(toSystemPath(below(root.path, path)), 'latin1'));
  } catch (error) {
    if (['ENOENT', 'EINVAL', 'ENOTDIR'].includes(systemCode(error) ?? '')) return undefined;
    throw unscannable(`${root.path}/${path}`, systemCode(error) ?? 'unknown error', error);
  }
}

function differs(previous: Tree, index: number, entry: EntryStat, target: EntryPath | undefined): boolean {
  return (
    previous.type(index) !== entry.type ||
    previous.mtime(index) !== entry.mtime ||
    previous.size(index) !== entry.size ||
    (entry.type !== 'link' && previous.mode(index) !== entry.mode) ||
    previous.targets.get(index) !== target
  );
}

function contentKnown(previous: Tree, index: number, entry: EntryStat, restoredAt: number): boolean {
  if (previous.type(index) !== 'file' || previous.doubtful(index)) return false;
  if (previous.mtime(index) !== entry.mtime || previous.size(index) !== entry.size) return false;
  const ctime = previous.ctime(index);
  if (Number.isNaN(ctime)) return entry.ctime < restoredAt;
  return ctime === entry.ctime && previous.inode(index) === entry.inode;
}
