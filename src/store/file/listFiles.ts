import { type Dirent, readdirSync } from 'node:fs';
import type { ObjectInfo } from '../objectStore.ts';
import { infoOf, lstatOrNothing } from './fileObject.ts';

/**
 * Every regular file under `path`, its key beginning with `prefix`, in UTF-8 order. `at` is the key of `path` itself:
 * empty, or ending in a slash. What vanishes meanwhile is left out; a directory that cannot be read throws.
 */
export function* listFiles(path: string, at: string, prefix: string): Generator<ObjectInfo> {
  for (const { name, isDirectory } of inKeyOrder(readdirSync(path, { withFileTypes: true }))) {
    const key = at + name;
    if (!isDirectory) {
      const stats = key.startsWith(prefix) ? lstatOrNothing(`${path}/${name}`) : undefined;
      if (stats?.isFile()) yield infoOf(key, stats);
    } else if (`${key}/`.startsWith(prefix) || prefix.startsWith(`${key}/`)) {
      yield* listFiles(`${path}/${name}`, `${key}/`, prefix);
    }
  }
}

/** `a-b` comes before `a/b`, and `a/b` before `a0`: a directory counts with its slash. */
function inKeyOrder(entries: readonly Dirent[]): { name: string; isDirectory: boolean }[] {
  return entries
    .filter((entry) => entry.isFile() || entry.isDirectory())
    .map((entry) => {
      const isDirectory = entry.isDirectory();
      return {
        name: entry.name,
        isDirectory,
        order: Buffer.from(isDirectory ? `${entry.name}/` : entry.name),
      };
    })
    .sort((a, b) => Buffer.compare(a.order, b.order));
}
