import { type BigIntStats, constants } from 'node:fs';
import { MAX_TIME_US } from '../format/format.ts';
import type { EntryStat } from '../format/tree.ts';

const { S_IFMT, S_IFREG, S_IFDIR, S_IFLNK, S_IFSOCK, S_IFIFO } = constants;

/** What an entry is, by its mode. `stat.isFile()` and its like make three big numbers each, for 10,000 entries at every look. */
export function kindOf({ mode }: BigIntStats): EntryStat['type'] | 'socket' | 'pipe' | 'device' {
  switch (Number(mode) & S_IFMT) {
    case S_IFREG:
      return 'file';
    case S_IFDIR:
      return 'folder';
    case S_IFLNK:
      return 'link';
    case S_IFSOCK:
      return 'socket';
    case S_IFIFO:
      return 'pipe';
    default:
      return 'device';
  }
}

/** What a manifest can say of an entry of this type. */
export function entryStat(stat: BigIntStats, type: EntryStat['type'] = 'file'): EntryStat {
  return {
    type,
    mode: Number(stat.mode) & 0o7777,
    mtime: Math.max(-MAX_TIME_US, Math.min(MAX_TIME_US, micros(stat.mtimeNs))),
    ctime: micros(stat.ctimeNs),
    inode: Number(stat.ino),
    size: type === 'file' ? Number(stat.size) : 0,
  };
}

/** Rounded down, before 1970 as well. */
const micros = (nanos: bigint): number => Number((nanos < 0n ? nanos - 999n : nanos) / 1000n);
