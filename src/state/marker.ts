import {
  closeSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import * as v from 'valibot';
import { systemCode } from '../errors.ts';
import { toSystemPath } from './entryPath.ts';
import { RESERVED_NAME } from './format.ts';
import { openRoot, type TreeRoot } from './treeRoot.ts';

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const markerSchema = v.object({
  bot: v.string(),
  /** Whose writer this tree is. */
  generation: count,
  /** The snapshot that it was restored from; 0: from none. */
  sequence: count,
  /** False while a restore is under way: the tree may be half of this and half of that. */
  complete: v.boolean(),
  /** Holders that set out to claim the bot from this tree; one of them may have died right behind its claim. */
  claimants: v.pipe(v.array(v.string()), v.maxLength(16)),
  /** When the restore ended: µs since the epoch, by this machine's clock. */
  restoredAt: v.pipe(v.number(), v.safeInteger()),
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
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') rmSync(path, { force: true });
    mkdirSync(path, { mode: 0o700 });
    fd = open();
  }
  // Through the descriptor: whatever takes the folder's name meanwhile is not followed.
  return { path: `/proc/self/fd/${fd}`, close: () => closeSync(fd) };
}

/** Undefined when there is none, or nothing that could be one. */
export function readMarker(root: TreeRoot): Marker | undefined {
  const path = toSystemPath(`${root.path}/${RESERVED_NAME}`);
  let folder: number | undefined;
  let fd: number | undefined;
  try {
    folder = openSync(path, O_RDONLY | O_NOFOLLOW | O_DIRECTORY);
    const file = `/proc/self/fd/${folder}/marker`;
    const stat = lstatSync(file);
    if (!stat.isFile() || stat.size > LIMIT_BYTES) return undefined;
    fd = openSync(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    return v.parse(markerSchema, JSON.parse(readFileSync(fd, 'utf8')));
  } catch (error) {
    const code = systemCode(error);
    if (error instanceof SyntaxError || error instanceof v.ValiError) return undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') return undefined;
    throw error;
  } finally {
    if (fd !== undefined) closeSync(fd);
    if (folder !== undefined) closeSync(folder);
  }
}

/** Notes, before a claim is taken, who takes it for this tree. Nothing where there is no tree yet. */
export function noteClaimant(dir: string, holder: string): void {
  if (!existsSync(dir)) return;
  const root = openRoot(dir);
  const marker = readMarker(root);
  if (marker) writeMarker(root, { ...marker, claimants: [...marker.claimants.slice(-15), holder] });
}

/** Replaces the marker as a whole. */
export function writeMarker(root: TreeRoot, marker: Marker): void {
  const folder = openReserved(root);
  try {
    const temporary = `${folder.path}/marker.new`;
    rmSync(temporary, { force: true, recursive: true });
    writeFileSync(temporary, JSON.stringify(marker), { flag: 'wx', mode: 0o644, flush: true });
    renameSync(temporary, `${folder.path}/marker`);
  } finally {
    folder.close();
  }
}
