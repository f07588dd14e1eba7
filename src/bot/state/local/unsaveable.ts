import { type BigIntStats, closeSync, constants, lstatSync, openSync, readdirSync } from 'node:fs';
import { below, type EntryPath, toSystemPath } from '../format/entryPath.ts';
import { BLOCK_BYTES, DENSE_BLOCKS, MAX_TIME_US } from '../format/format.ts';
import type { EntryStat } from '../format/tree.ts';
import type { kindOf } from './entryStat.ts';
import { PATH_BYTES, type TreeRoot } from './treeRoot.ts';

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
const NAME_BYTES = 255;
/** `st_blocks` counts in these. */
const SECTOR_BYTES = 512;

/** What cannot be saved, in words that follow "a". */
export type Unsaveable =
  | 'socket'
  | 'pipe'
  | 'device'
  | 'link that leaves the state'
  | 'path that is too long for the system'
  | 'name of more than 255 bytes'
  | 'file that holds more than 512 GiB'
  | "folder or file of another user's that may not be read"
  | 'time stamp beyond the year 2540';

/** Why this entry cannot be restored from any snapshot, by its name and kind alone; undefined: it can. */
export function unsaveable(
  path: EntryPath,
  kind: ReturnType<typeof kindOf>,
  stat: BigIntStats,
): Unsaveable | undefined {
  if (kind === 'socket' || kind === 'pipe' || kind === 'device') return kind;
  if (path.length - path.lastIndexOf('/') - 1 > NAME_BYTES) return 'name of more than 255 bytes';
  // Its entry would be longer than a reader takes.
  const dense = (Number(stat.blocks) * SECTOR_BYTES) / BLOCK_BYTES;
  if (kind === 'file' && dense > DENSE_BLOCKS) return 'file that holds more than 512 GiB';
  return undefined;
}

/** Whether nothing in the system can open it by its whole path, as `lstat` cannot. */
export const isTooLong = (root: TreeRoot, path: EntryPath): boolean =>
  root.path.length + 1 + path.length > PATH_BYTES;

/** Whether what it says of its time is more than a manifest can. */
export const isBeyondTime = ({ mtime }: EntryStat): boolean => Math.abs(mtime) === MAX_TIME_US;

/** Whether it belongs to neither us nor the bot (`owner`) and is closed to us. */
export function isClosedByOthers(
  root: TreeRoot,
  path: EntryPath,
  stat: BigIntStats,
  owner: number | undefined,
): boolean {
  const uid = Number(stat.uid);
  if (uid === process.geteuid!() || uid === owner || stat.isSymbolicLink()) return false;
  return !canRead(toSystemPath(below(root.path, path)), stat);
}

/** What `mkfs` leaves at the top of a volume, for `fsck` to put into: the volume's, and no bot's. */
export function isLostAndFound(root: TreeRoot, name: string, stat: BigIntStats): boolean {
  if (name !== 'lost+found' || stat.uid !== 0n || !stat.isDirectory()) return false;
  const path = toSystemPath(below(root.path, name));
  return !canRead(path, stat) || readdirSync(path).length === 0;
}

function canRead(path: string | Buffer, stat: BigIntStats): boolean {
  try {
    closeSync(openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
    // What is in a folder can be listed and looked at.
    if (stat.isDirectory()) lstatSync(Buffer.concat([Buffer.from(path), Buffer.from('/.')]));
    return true;
  } catch {
    return false;
  }
}
