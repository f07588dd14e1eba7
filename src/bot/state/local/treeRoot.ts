import { closeSync, constants, lstatSync, openSync, readlinkSync, realpathSync, type Stats } from 'node:fs';
import { RuntimeError, systemCode } from '../../../base/errors.ts';
import { below, type EntryPath, fromText, toSystemPath } from '../format/entryPath.ts';

/*
 * The room of the tree on this disk. The bot may change it at any moment while this process, perhaps root, reads and writes it.
 *
 *   root       the state directory, known by device and inode; another directory in its place is not the state (`treeRoot.ts`)
 *   scan       what `lstat` shows of all entries, compared with the tree before; what cannot be saved is named (`unsaveable.ts`)
 *   read       `readBlocks`: a file's blocks, where it was opened beneath the root and nowhere else (`openBeneath`)
 *   write      `TreeWriter` builds a tree in a folder that no other user can reach (`reservedFolder.ts`); `intoPlace` moves the complete
 *              tree in, and `emptyRoot` removes the earlier one (`aroundMounts.ts`: what is mounted inside)
 *
 * Nothing is followed through a link, and nothing is written over what exists.
 */

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_DIRECTORY } = constants;

/** The longest path that a system call takes. */
export const PATH_BYTES = 4095;

/** A state directory, one character per byte, known to be a real directory. */
export interface TreeRoot {
  readonly path: EntryPath;
  /** Which directory it is; another one in its place (an unmounted volume) is not this bot's state. */
  readonly device: number;
  readonly inode: number;
}

/** Opens the state directory. A symlink in its place is refused, whatever it points to. */
export function openRoot(dir: string): TreeRoot {
  const stat = lstatDirectory(fromText(dir));
  return { path: fromText(realpathSync(dir)), device: stat.dev, inode: stat.ino };
}

/** A descriptor of the directory itself. While it is open, no other directory gets its inode number. */
export function pinRoot(root: TreeRoot): number {
  const fd = openSync(toSystemPath(root.path), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  checkRoot(root);
  return fd;
}

/** Throws when the root is no longer the directory that was opened. */
export function checkRoot(root: TreeRoot): void {
  const stat = lstatDirectory(root.path);
  if (stat.dev === root.device && stat.ino === root.inode) return;
  throw unscannable(root.path, 'another directory has taken its place');
}

function lstatDirectory(path: EntryPath): Stats {
  let stat: Stats;
  try {
    stat = lstatSync(toSystemPath(path));
  } catch (error) {
    throw unscannable(path, systemCode(error) ?? 'unknown error', error);
  }
  if (stat.isDirectory()) return stat;
  throw refuse(path, stat.isSymbolicLink() ? 'a symbolic link' : 'no directory');
}

function refuse(path: string, what: string): RuntimeError {
  const shown = Buffer.from(path, 'latin1').toString('utf8');
  return new RuntimeError('refused', `${shown} is ${what}`, {
    op: 'state.scan',
    path: shown,
    hint: 'The state directory must be a real directory: mount or create it at this path.',
  });
}

/** A state that cannot be scanned is not an empty state. */
export function unscannable(path: string, why: string, cause?: unknown): RuntimeError {
  const shown = Buffer.from(path, 'latin1').toString('utf8');
  return new RuntimeError('unsaved', `the state at ${shown} cannot be read: ${why}`, {
    op: 'state.scan',
    path: shown,
    retryable: true,
    hint: 'The last snapshot stays as it is. Give the runtime back the directory and the right to read it.',
    cause,
  });
}

/**
 * Opens an entry for reading; undefined where it is not there (any more). The bot may replace a folder of the path by a symlink at any
 * moment, and this process may read what the bot may not. Therefore the kernel is asked where the opened file lies, and that must be the
 * path of the entry.
 */
export function openBeneath(root: TreeRoot, path: EntryPath, type: 'file' | 'folder'): number | undefined {
  const full = path === '' ? root.path : below(root.path, path);
  const flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | (type === 'folder' ? O_DIRECTORY : 0);
  let fd: number;
  try {
    fd = openSync(toSystemPath(full), flags);
  } catch (error) {
    const code = systemCode(error) ?? '';
    if (['ENOENT', 'ELOOP', 'ENOTDIR', 'ENXIO'].includes(code)) return undefined;
    throw unscannable(full, code, error);
  }
  if (readlinkSync(`/proc/self/fd/${fd}`, 'latin1') === full) return fd;
  closeSync(fd);
  return undefined;
}
