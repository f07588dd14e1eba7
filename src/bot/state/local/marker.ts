import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import * as v from 'valibot';
import { systemCode } from '../../../base/errors.ts';
import { toSystemPath } from '../format/entryPath.ts';
import { RESERVED_NAME } from '../format/format.ts';
import { asDiskFailure } from './diskFailure.ts';
import { removeTree } from './removeTree.ts';
import type { TreeRoot } from './treeRoot.ts';

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const markerSchema = v.object({
  bot: v.string(),
  /** Whose writer this tree is. */
  generation: count,
  /** The snapshot that it was restored from; 0: from none. */
  sequence: count,
  /** False while a restore is under way: the tree may be half of this and half of that. */
  complete: v.boolean(),
  /** Holders that set out to claim the bot for this tree while it was the newest; one may have died right behind its claim. */
  claimants: v.pipe(v.array(v.string()), v.maxLength(16)),
  /** When the tree was last known to be as that snapshot: µs since the epoch, by this machine's clock. */
  restoredAt: v.pipe(v.number(), v.safeInteger()),
  /** Which boot of the machine wrote it (`bootId`); empty: not known. */
  boot: v.optional(v.string(), ''),
});

/**
 * Says what the tree around it is. The bot may write it as well: it decides only between keeping the bot's own tree
 * and restoring what is saved, and nothing in it becomes a path.
 */
export type Marker = v.InferOutput<typeof markerSchema>;

const LIMIT_BYTES = 4096;
const { O_RDONLY, O_NOFOLLOW, O_DIRECTORY, O_NONBLOCK } = constants;

/** Our own folder in a state directory: made, or made anew when it is anything but a plain folder. */
export function openReserved(root: TreeRoot): { readonly path: string; close(): void } {
  const path = toSystemPath(`${root.path}/${RESERVED_NAME}`);
  const open = () => openSync(path, O_RDONLY | O_NOFOLLOW | O_DIRECTORY);
  let fd: number;
  try {
    fd = open();
  } catch {
    removeTree(`${root.path}/${RESERVED_NAME}`);
    mkdirSync(path, { mode: 0o700 });
    fd = open();
  }
  takeFolder(fd);
  // Through the descriptor: whatever takes the folder's name meanwhile is not followed.
  return { path: `/proc/self/fd/${fd}`, close: () => closeSync(fd) };
}

/** The bot may have made it, and could write to it while we do. */
function takeFolder(fd: number): void {
  const { uid, mode } = fstatSync(fd);
  try {
    if (uid !== process.geteuid!()) fchownSync(fd, process.geteuid!(), process.getegid!());
    if ((mode & 0o777) !== 0o700) fchmodSync(fd, 0o700);
  } catch (error) {
    // A volume that knows no owners, or one that we have no right to change: then there is nobody to be kept out.
    if (systemCode(error) !== 'EPERM') throw error;
  }
}

/** Undefined when there is none, nothing that could be one, or one that was closed to us. */
export function readMarker(root: TreeRoot): Marker | undefined {
  const path = toSystemPath(`${root.path}/${RESERVED_NAME}`);
  let folder: number | undefined;
  let fd: number | undefined;
  try {
    folder = openSync(path, O_RDONLY | O_NOFOLLOW | O_DIRECTORY);
    fd = openSync(`/proc/self/fd/${folder}/marker`, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    // Of what is open: the bot may put something else in its place at any moment.
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.size > LIMIT_BYTES) return undefined;
    return v.parse(markerSchema, JSON.parse(readFileSync(fd, 'utf8')));
  } catch (error) {
    const code = systemCode(error);
    if (error instanceof SyntaxError || error instanceof v.ValiError) return undefined;
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES', 'EPERM', 'ENXIO'].includes(code ?? '')) return undefined;
    throw error;
  } finally {
    if (fd !== undefined) closeSync(fd);
    if (folder !== undefined) closeSync(folder);
  }
}

/** Replaces the marker as a whole, whatever has taken its name. */
export function writeMarker(root: TreeRoot, marker: Marker): void {
  let folder: ReturnType<typeof openReserved> | undefined;
  try {
    folder = openReserved(root);
    const path = `${folder.path}/marker`;
    const temporary = `${path}.new`;
    removeTree(temporary);
    writeFileSync(temporary, JSON.stringify(marker), { flag: 'wx', mode: 0o644, flush: true });
    if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) removeTree(path);
    renameSync(temporary, path);
  } catch (error) {
    throw asDiskFailure(error, root);
  } finally {
    folder?.close();
  }
}
