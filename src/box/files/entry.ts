import { lstatSync, readFileSync, type Stats } from 'node:fs';
import { basename } from 'node:path';

/** A file or folder as clients see it: of a symlink the link itself. */
export interface Entry {
  readonly name: string;
  readonly path: string;
  readonly size: number;
  readonly isDir: boolean;
  readonly isFile: boolean;
  readonly isSymlink: boolean;
  /** Permission bits. */
  readonly permissions: number;
  /** By name, or by number where it has none here. */
  readonly owner: string;
  readonly group: string;
  /** RFC 3339. */
  readonly modTime: string;
  readonly accessTime: string;
}

/**
 * Entries that are asked for together: who has which number is read once. A path that is not UTF-8 is shown with U+FFFD, by which nothing is
 * found: that there is something is said all the same. Throws the system's error.
 */
export function entryReader(): (path: string | Buffer) => Entry {
  const users = namesIn('/etc/passwd');
  const groups = namesIn('/etc/group');
  return (path) => {
    const stat = lstatSync(path);
    return {
      name: basename(path.toString()) || '/',
      path: path.toString(),
      size: stat.size,
      ...kindOf(stat),
      permissions: stat.mode & 0o7777,
      owner: users.get(stat.uid) ?? String(stat.uid),
      group: groups.get(stat.gid) ?? String(stat.gid),
      modTime: timeOf(stat.mtime),
      accessTime: timeOf(stat.atime),
    };
  };
}

/** A file may have a time beyond all that a date can be. */
const timeOf = (time: Date) => (Number.isNaN(time.getTime()) ? new Date(8.64e15) : time).toISOString();

const kindOf = (stat: Stats) => ({
  isDir: stat.isDirectory(),
  isFile: stat.isFile(),
  isSymlink: stat.isSymbolicLink(),
});

function namesIn(file: string): ReadonlyMap<number, string> {
  try {
    const lines = readFileSync(file, 'utf8').split('\n');
    return new Map(
      lines.map((line) => line.split(':')).map(([name = '', , number]) => [Number(number), name]),
    );
  } catch {
    return new Map();
  }
}
