import { readFileSync } from 'node:fs';
import { type EntryPath, pathOfBytes } from '../format/entryPath.ts';
import { RESERVED_NAME } from '../format/format.ts';
import type { TreeRoot } from './treeRoot.ts';

/** What is mounted inside a state directory, as paths within it: files and folders that can be neither removed nor replaced. */
export function mountsBelow({ path: root }: TreeRoot): readonly EntryPath[] {
  const mounts: EntryPath[] = [];
  for (const line of readFileSync('/proc/self/mountinfo', 'latin1').split('\n')) {
    const [, , , , escaped = ''] = line.split(' ');
    const point = escaped.replace(/\\([0-7]{3})/g, (_, octal) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    );
    if (!point.startsWith(`${root}/`)) continue;
    const path = pathOfBytes(point.slice(root.length + 1));
    if (path.split('/', 1)[0] !== RESERVED_NAME) mounts.push(path);
  }
  return mounts;
}
