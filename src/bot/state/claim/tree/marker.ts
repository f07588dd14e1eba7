import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  writeSync,
} from 'node:fs';
import * as v from 'valibot';
import { systemCode } from '../../../../base/errors.ts';
import { below, type EntryPath, toSystemPath } from '../../format/entryPath.ts';
import { RESERVED_NAME } from '../../format/format.ts';
import { asDiskFailure } from '../../local/diskFailure.ts';
import { removeTree } from '../../local/removeTree.ts';
import type { TreeRoot } from '../../local/treeRoot.ts';

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const markerSchema = v.object({
  bot: v.string(),
  /** The generation of the tree's writer. */
  generation: count,
  /** The snapshot that it was restored from; 0: from none. */
  sequence: count,
  /** False during a restore: the tree may be a mixture of two. */
  complete: v.boolean(),
  /** Holders that were about to claim the bot for this tree while it was the newest. One may have died right after its claim. */
  claimants: v.pipe(v.array(v.string()), v.maxLength(16)),
  /** When the tree was last known to agree with that snapshot: µs since the epoch, by this machine's clock. */
  restoredAt: v.pipe(v.number(), v.safeInteger()),
  /** Which boot of the machine wrote it (`bootId`); empty: not known. */
  boot: v.optional(v.string(), ''),
});

/**
 * Says what the tree around it is. The bot can write it, too. Therefore it decides only between the bot's own tree and the saved state,
 * and nothing in it becomes a path.
 */
export type Marker = v.InferOutput<typeof markerSchema>;

/** One page: written by one call, so a process that is killed leaves the old one or the new one. */
const PAGE_BYTES = 4096;
const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = constants;

/** Undefined when there is none, nothing that could be one, or one that was closed to us. */
export function readMarker(root: TreeRoot): Marker | undefined {
  const open: number[] = [];
  const read = (path: string | Buffer): Marker | undefined => {
    const fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    open.push(fd);
    // Of what is open: the bot may put something else in its place at any moment.
    const stat = fstatSync(fd);
    // While a tree is restored, and where an older runtime has left it.
    if (stat.isDirectory() && open.length === 1) return read(`/proc/self/fd/${fd}/marker`);
    if (!stat.isFile() || stat.size > PAGE_BYTES) return undefined;
    return v.parse(markerSchema, JSON.parse(readFileSync(fd, 'utf8')));
  };
  try {
    return read(toSystemPath(below(root.path, RESERVED_NAME)));
  } catch (error) {
    const code = systemCode(error);
    if (error instanceof SyntaxError || error instanceof v.ValiError) return undefined;
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES', 'EPERM', 'ENXIO'].includes(code ?? '')) return undefined;
    throw error;
  } finally {
    for (const fd of open) closeSync(fd);
  }
}

/** Makes `marker` the tree's marker, whatever has its name now. */
export function writeMarker(root: TreeRoot, marker: Marker): void {
  try {
    writeMarkerAt(below(root.path, RESERVED_NAME), marker);
  } catch (error) {
    throw asDiskFailure(error, root);
  }
}

/**
 * A plain file that everyone may read, copy and remove: it lies among the bot's. Written in place and not replaced, so that no
 * second name comes and goes while the bot walks its state.
 */
export function writeMarkerAt(path: EntryPath, marker: Marker): void {
  const there = openOwn(path);
  const fd = there ?? makeAnew(path);
  try {
    if ((fstatSync(fd).mode & 0o777) !== 0o644) fchmodSync(fd, 0o644);
    writeSync(fd, JSON.stringify(marker).padEnd(PAGE_BYTES), 0);
    fsyncSync(fd);
  } catch (error) {
    // A disk that is full.
    if (there === undefined) removeTree(path);
    throw error;
  } finally {
    closeSync(fd);
  }
}

/** The file of an earlier marker, when it is one and nothing else has its content. */
function openOwn(path: EntryPath): number | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(toSystemPath(path), O_WRONLY | O_NOFOLLOW | O_NONBLOCK);
    const stat = fstatSync(fd);
    if (stat.isFile() && stat.nlink === 1 && stat.uid === process.geteuid!() && stat.size <= PAGE_BYTES)
      return fd;
  } catch {
    // Then it is made anew, and that says why it cannot be.
  }
  if (fd !== undefined) closeSync(fd);
  return undefined;
}

function makeAnew(path: EntryPath): number {
  removeTree(path);
  return openSync(toSystemPath(path), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o644);
}
