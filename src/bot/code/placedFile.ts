import { closeSync, constants, fchmodSync, fchownSync, futimesSync, openSync, writeSync } from 'node:fs';
import type { Owner } from '../../base/owner.ts';

/** A file whose place in the tree is taken (`TreeWriter.placeFile`): all that is needed to write it, by whatever thread. */
export interface PlacedFile {
  /** Absolute. */
  readonly file: string;
  readonly mode: number;
  /** The umask takes away bits that are needed. */
  readonly chmod: boolean;
  /** Seconds since the epoch; undefined: as it happens to be. */
  readonly mtime: number | undefined;
  readonly owner: Owner | undefined;
}

const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

export function createPlaced({ file, mode }: PlacedFile): number {
  return openSync(file, CREATE, mode);
}

/** All bytes are there: gives it its mode, its time and its owner. */
export function finishPlaced(fd: number, { mode, chmod, mtime, owner }: PlacedFile): void {
  if (chmod) fchmodSync(fd, mode);
  if (mtime !== undefined) futimesSync(fd, mtime, mtime);
  // Last: the times of another user's file are not ours to set, for root without CAP_FOWNER.
  if (owner) fchownSync(fd, owner.uid, owner.gid);
}

export function writePlaced(placed: PlacedFile, bytes: Uint8Array): void {
  const fd = createPlaced(placed);
  try {
    for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
    finishPlaced(fd, placed);
  } finally {
    closeSync(fd);
  }
}
