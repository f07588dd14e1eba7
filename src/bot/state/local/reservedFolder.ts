import { closeSync, constants, fchmodSync, fchownSync, fstatSync, mkdirSync, openSync } from 'node:fs';
import { systemCode } from '../../../base/errors.ts';
import { below, type EntryPath, pathOfBytes, toSystemPath } from '../format/entryPath.ts';
import { RESERVED_NAME } from '../format/format.ts';
import { removeTree } from './removeTree.ts';
import type { TreeRoot } from './treeRoot.ts';

const { O_RDONLY, O_NOFOLLOW, O_DIRECTORY } = constants;

/**
 * The folder that a restore builds its tree in: made, or made anew when anything but a plain folder has its name (the marker
 * of an earlier life, mostly). It is there only while a restore is under way: a bot that walks its state could not read it.
 */
export function openReserved(root: TreeRoot): { readonly path: EntryPath; close(): void } {
  const path = toSystemPath(below(root.path, RESERVED_NAME));
  const open = () => openSync(path, O_RDONLY | O_NOFOLLOW | O_DIRECTORY);
  let fd: number;
  try {
    fd = open();
  } catch {
    removeTree(below(root.path, RESERVED_NAME));
    mkdirSync(path, { mode: 0o700 });
    fd = open();
  }
  takeFolder(fd);
  // Through the descriptor: whatever takes the folder's name meanwhile is not followed.
  return { path: pathOfBytes(`/proc/self/fd/${fd}`), close: () => closeSync(fd) };
}

/** The bot may have made it, and could write to it while we do. */
function takeFolder(fd: number): void {
  const { uid, mode } = fstatSync(fd);
  try {
    if (uid !== process.geteuid!()) fchownSync(fd, process.geteuid!(), process.getegid!());
    if ((mode & 0o777) !== 0o700) fchmodSync(fd, 0o700);
  } catch (error) {
    // The volume has no owners, or this process may not change them: then no other user has to be kept out.
    if (systemCode(error) !== 'EPERM') throw error;
  }
}
