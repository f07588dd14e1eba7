import {
  accessSync,
  type BigIntStats,
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  ftruncateSync,
  futimesSync,
  lchownSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  renameSync,
  symlinkSync,
} from 'node:fs';
import { RuntimeError, systemCode } from '../../../base/errors.ts';
import { below, type EntryPath, pathToText, toSystemPath } from '../format/entryPath.ts';
import { BLOCK_BYTES } from '../format/format.ts';
import { entryStat, kindOf } from './entryStat.ts';
import { removeTree } from './removeTree.ts';
import type { TreeRoot } from './treeRoot.ts';
import { seconds, writeSparsely } from './treeWriter.ts';

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_DIRECTORY } = constants;

/**
 * Puts a tree where something is mounted inside the state directory. A mount stays and gets what the tree has at its place, copied,
 * as nothing can be moved from one file system to another. One that is read-only keeps what it holds.
 */
export class AroundMounts {
  readonly #root: TreeRoot;
  readonly #mounts: readonly EntryPath[];

  constructor(root: TreeRoot, mounts: readonly EntryPath[]) {
    this.#root = root;
    this.#mounts = mounts;
  }

  /** Whether it is a mount, or something below it is. */
  holds(path: EntryPath): boolean {
    return this.#mounts.some((mount) => mount === path || mount.startsWith(`${path}/`));
  }

  /** A mount that we may not write to: it stays as it is. */
  isReadOnly(path: EntryPath): boolean {
    return this.#mounts.includes(path) && !canWrite(below(this.#root.path, path));
  }

  /** A mount whose own mode and times are not ours to set. */
  isOthers(path: EntryPath): boolean {
    const uid = process.geteuid!();
    return (
      uid !== 0 && this.#mounts.includes(path) && statOf(below(this.#root.path, path)).uid !== BigInt(uid)
    );
  }

  /** Removes everything in it except mounts. */
  empty(path: EntryPath): void {
    const full = toSystemPath(below(this.#root.path, path));
    if (this.isReadOnly(path) || !lstatSync(full).isDirectory()) return;
    for (const name of readdirSync(full, 'latin1')) {
      const entry = below(path, name);
      if (this.holds(entry)) this.empty(entry);
      else removeTree(below(this.#root.path, entry));
    }
  }

  /** Moves what lies at `from` to `path`. */
  fill(from: EntryPath, path: EntryPath): void {
    const to = below(this.#root.path, path);
    if (!this.holds(path)) {
      moveOrCopy(from, to);
      return;
    }
    if (this.isReadOnly(path)) return;
    const stat = statOf(from);
    const kind = kindOf(stat);
    if (kind !== kindOf(statOf(to)) || kind === 'link') throw otherKind(path);
    if (kind === 'folder') {
      makeOurs(from);
      for (const name of readdirSync(toSystemPath(from), 'latin1')) {
        this.fill(below(from, name), below(path, name));
      }
    }
    if (kind === 'file') copyContent(from, to, 0);
    else if (!this.isOthers(path)) finish(to, O_RDONLY | O_DIRECTORY, stat);
  }
}

function moveOrCopy(from: EntryPath, to: EntryPath): void {
  try {
    renameSync(toSystemPath(from), toSystemPath(to));
  } catch (error) {
    if (systemCode(error) !== 'EXDEV') throw error;
    copy(from, to);
  }
}

function copy(from: EntryPath, to: EntryPath): void {
  const stat = statOf(from);
  const kind = kindOf(stat);
  const path = toSystemPath(to);
  if (kind === 'link') {
    symlinkSync(readlinkSync(toSystemPath(from), 'buffer'), path);
    const mtime = seconds(entryStat(stat).mtime);
    lutimesSync(path, mtime, mtime);
    lchownSync(path, Number(stat.uid), Number(stat.gid));
  } else if (kind === 'folder') {
    mkdirSync(path, { mode: 0o700 });
    makeOurs(from);
    for (const name of readdirSync(toSystemPath(from), 'latin1')) copy(below(from, name), below(to, name));
    finish(to, O_RDONLY | O_DIRECTORY, stat);
  } else copyContent(from, to, O_CREAT | O_EXCL);
}

function copyContent(from: EntryPath, to: EntryPath, flags: number): void {
  const stat = statOf(from);
  const size = Number(stat.size);
  if (!(stat.mode & 0o400n)) chmodSync(toSystemPath(from), 0o600);
  const source = openSync(toSystemPath(from), O_RDONLY | O_NOFOLLOW);
  try {
    finish(to, O_WRONLY | flags, stat, (fd) => {
      ftruncateSync(fd, 0);
      ftruncateSync(fd, size);
      const block = Buffer.allocUnsafe(BLOCK_BYTES);
      for (let at = 0; at < size; ) {
        const read = readSync(source, block, 0, block.length, at);
        if (read === 0) break;
        writeSparsely(fd, block.subarray(0, read), at, size);
        at += read;
      }
    });
  } finally {
    closeSync(source);
  }
}

/** Owner, mode and time of what was there before; set-id bits last, as a change of owner clears them. */
function finish(
  to: EntryPath,
  flags: number,
  stat: BigIntStats,
  fillIn: (fd: number) => void = () => {},
): void {
  const fd = openSync(toSystemPath(to), flags | O_NOFOLLOW, 0o600);
  try {
    fillIn(fd);
    const { mode, mtime } = entryStat(stat);
    const uid = Number(stat.uid);
    const gid = Number(stat.gid);
    const now = fstatSync(fd);
    // A file that is mounted, and that we may only write to.
    if (process.geteuid!() !== 0 && now.uid !== process.geteuid!()) return;
    fchmodSync(fd, mode);
    futimesSync(fd, seconds(mtime), seconds(mtime));
    if (now.uid !== uid || now.gid !== gid) fchownSync(fd, uid, gid);
    if (mode & 0o6000) fchmodSync(fd, mode);
  } finally {
    closeSync(fd);
  }
}

/** What has been built has its modes already. */
const makeOurs = (folder: EntryPath): void => chmodSync(toSystemPath(folder), 0o700);

function canWrite(path: EntryPath): boolean {
  try {
    accessSync(toSystemPath(path), constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

const statOf = (path: EntryPath): BigIntStats => lstatSync(toSystemPath(path), { bigint: true });

function otherKind(path: EntryPath): RuntimeError {
  const shown = pathToText(path);
  return new RuntimeError('refused', `the state has something else at ${shown} than what is mounted there`, {
    op: 'state.restore',
    path: shown,
    hint: 'Take the mount away, or save the state without it: a folder can only be restored into a folder, a file into a file.',
  });
}
