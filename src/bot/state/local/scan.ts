import { type BigIntStats, closeSync, lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { systemCode } from '../../../base/errors.ts';
import { comparePaths, type EntryPath, toSystemPath } from '../format/entryPath.ts';
import { RESERVED_NAME } from '../format/format.ts';
import { staysInside } from '../format/linkTarget.ts';
import { type EntryStat, Tree } from '../format/tree.ts';
import { checkRoot, openBeneath, type TreeRoot, unscannable } from './treeRoot.ts';

export interface Scan {
  readonly tree: Tree;
  /** Files whose content is not known from the previous tree. */
  readonly unread: readonly number[];
  /** Whether anything differs from the previous tree; `false` with nothing unread means: nothing has happened. */
  readonly changed: boolean;
  /** What cannot be saved: sockets, pipes, devices, links that leave the tree. */
  readonly skipped: readonly Skipped[];
}

export interface Skipped {
  readonly path: EntryPath;
  readonly what: 'socket' | 'pipe' | 'device' | 'link that leaves the state';
}

export interface ScanOptions {
  /**
   * For files that the previous tree knows from a manifest only: one whose ctime is older than this (µs) and whose
   * size and mtime agree is what the restore wrote.
   */
  readonly restoredAt: number;
}

/**
 * The tree at `root` as `lstat` shows it, taking over from `previous` the contents of files that have not changed.
 * Synchronous on purpose: awaiting each call costs twenty times as much.
 */
export function scan(root: TreeRoot, previous: Tree, options: ScanOptions): Scan {
  checkRoot(root);
  const tree = new Tree();
  const unread: number[] = [];
  const skipped: Skipped[] = [];
  let cursor = 0;
  let changed = false;

  const visit = (path: EntryPath, stat: BigIntStats) => {
    const what = unsaveable(stat);
    if (what) return void skipped.push({ path, what });
    const entry = entryStat(stat);
    let target: string | undefined;
    if (entry.type === 'link') {
      target = readTarget(root, path);
      if (target === undefined) return;
      if (!staysInside(path, target, root.path)) {
        return void skipped.push({ path, what: 'link that leaves the state' });
      }
    }
    while (cursor < previous.length && comparePaths(previous.paths[cursor]!, path) < 0) {
      cursor += 1;
      changed = true;
    }
    const known = previous.paths[cursor] === path ? cursor++ : undefined;
    const index = tree.add(path, entry, target);
    if (known === undefined || differs(previous, known, entry, target)) changed = true;
    if (entry.type !== 'file') return;
    if (known !== undefined && contentKnown(previous, known, entry, options.restoredAt)) {
      tree.setContent(index, { blobs: previous.blobs(known), size: entry.size, doubtful: false });
    } else {
      unread.push(index);
    }
  };

  const walk = (folder: EntryPath) => {
    for (const name of namesIn(root, folder)) {
      if (folder === '' && name === RESERVED_NAME) continue;
      const path = folder === '' ? name : `${folder}/${name}`;
      const stat = statOf(root, path);
      if (!stat) continue;
      visit(path, stat);
      if (stat.isDirectory()) walk(path);
    }
  };

  walk('');
  return { tree, unread, changed: changed || cursor < previous.length, skipped };
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
    return lstatSync(toSystemPath(`${root.path}/${path}`), { bigint: true });
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined;
    throw unscannable(`${root.path}/${path}`, systemCode(error) ?? 'unknown error', error);
  }
}

function readTarget(root: TreeRoot, path: EntryPath): string | undefined {
  try {
    return readlinkSync(toSystemPath(`${root.path}/${path}`), 'latin1');
  } catch (error) {
    if (['ENOENT', 'EINVAL', 'ENOTDIR'].includes(systemCode(error) ?? '')) return undefined;
    throw unscannable(`${root.path}/${path}`, systemCode(error) ?? 'unknown error', error);
  }
}

function unsaveable(stat: BigIntStats): Skipped['what'] | undefined {
  if (stat.isSocket()) return 'socket';
  if (stat.isFIFO()) return 'pipe';
  if (stat.isCharacterDevice() || stat.isBlockDevice()) return 'device';
  return undefined;
}

export function entryStat(stat: BigIntStats): EntryStat {
  const file = stat.isFile();
  return {
    type: file ? 'file' : stat.isDirectory() ? 'folder' : 'link',
    mode: Number(stat.mode & 0o7777n),
    mtime: micros(stat.mtimeNs),
    ctime: micros(stat.ctimeNs),
    inode: Number(stat.ino),
    size: file ? Number(stat.size) : 0,
  };
}

/** Rounded down, before 1970 as well. */
const micros = (nanos: bigint): number => Number((nanos - (((nanos % 1000n) + 1000n) % 1000n)) / 1000n);

function differs(previous: Tree, index: number, entry: EntryStat, target: string | undefined): boolean {
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
