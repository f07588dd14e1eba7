import { RuntimeError } from '../../../base/errors.ts';
import { checkEntryPath, type EntryPath, pathToText, ROOT, textToPath } from './entryPath.ts';
import { blockCount, isHash, MAX_TIME_US } from './format.ts';
import { isCount } from './frameRow.ts';
import type { EntryType } from './tree.ts';

/**
 * Where a block is: n blocks of zeros; a blob by its hash (in the head's table); or a blob with its frame (by number)
 * and where in this it begins.
 */
export type BlockRow = number | readonly [string] | readonly [string, number, number];

/** An entry as JSON carries it: `[type, path, mode, mtime µs, …]`. */
export type EntryRow =
  | readonly ['f', string, number, number, number, readonly BlockRow[]]
  | readonly ['d', string, number, number]
  | readonly ['l', string, number, number, string];

export interface Entry {
  readonly type: EntryType;
  readonly path: EntryPath;
  readonly mode: number;
  /** Microseconds since the epoch. */
  readonly mtime: number;
  readonly size: number;
  readonly blocks: readonly BlockRow[];
  readonly target: EntryPath | undefined;
}

export function encodeEntry(entry: Entry): EntryRow {
  const path = pathToText(entry.path);
  if (entry.type === 'folder') return ['d', path, entry.mode, entry.mtime];
  if (entry.type === 'link') return ['l', path, entry.mode, entry.mtime, pathToText(entry.target ?? ROOT)];
  return ['f', path, entry.mode, entry.mtime, entry.size, entry.blocks];
}

/**
 * `frames`: how many frames the row may refer to. Everything from outside is checked here, once. Ten thousand times at each start, before
 * V8 has compiled it: neither destructuring nor spreading, which take twice as long until then.
 */
export function decodeEntry(row: unknown, frames: number): Entry {
  if (!Array.isArray(row) || typeof row[1] !== 'string') throw malformed(row);
  const path = checkEntryPath(textToPath(row[1]));
  const type: unknown = row[0];
  const mode: unknown = row[2];
  const mtime: unknown = row[3];
  const last: unknown = row[4];
  const blocks: unknown = row[5];
  if (!isCount(mode) || mode > 0o7777 || !isTime(mtime)) throw malformed(row);
  if (type === 'd') return { type: 'folder', path, mode, mtime, size: 0, blocks: [], target: undefined };
  if (type === 'l' && typeof last === 'string')
    return { type: 'link', path, mode, mtime, size: 0, blocks: [], target: textToPath(last) };
  if (type !== 'f' || !isCount(last) || !Array.isArray(blocks)) throw malformed(row);
  let count = 0;
  for (const block of blocks) {
    if (!isBlock(block, frames)) throw malformed(row);
    count += typeof block === 'number' ? block : 1;
  }
  if (count !== blockCount(last)) throw malformed(row);
  return { type: 'file', path, mode, mtime, size: last, blocks, target: undefined };
}

const isTime = (value: unknown): value is number =>
  Number.isInteger(value) && Math.abs(value as number) <= MAX_TIME_US;

function isBlock(block: unknown, frames: number): block is BlockRow {
  if (typeof block === 'number') return isCount(block) && block > 0;
  if (!Array.isArray(block) || typeof block[0] !== 'string' || !isHash(block[0])) return false;
  if (block.length === 1) return true;
  return isCount(block[1]) && block[1] < frames && isCount(block[2]) && block.length === 3;
}

function malformed(row: unknown): RuntimeError {
  return new RuntimeError('damaged', `not an entry: ${JSON.stringify(row)?.slice(0, 200)}`, {
    op: 'state.read',
  });
}
