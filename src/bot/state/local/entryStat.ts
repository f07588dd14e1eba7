import type { BigIntStats } from 'node:fs';
import { MAX_TIME_US } from '../format/format.ts';
import type { EntryStat } from '../format/tree.ts';

/** What a manifest can say of an entry. */
export function entryStat(stat: BigIntStats): EntryStat {
  const file = stat.isFile();
  return {
    type: file ? 'file' : stat.isDirectory() ? 'folder' : 'link',
    mode: Number(stat.mode & 0o7777n),
    mtime: Math.max(-MAX_TIME_US, Math.min(MAX_TIME_US, micros(stat.mtimeNs))),
    ctime: micros(stat.ctimeNs),
    inode: Number(stat.ino),
    size: file ? Number(stat.size) : 0,
  };
}

/** Rounded down, before 1970 as well. */
export const micros = (nanos: bigint): number =>
  Number((nanos - (((nanos % 1000n) + 1000n) % 1000n)) / 1000n);
