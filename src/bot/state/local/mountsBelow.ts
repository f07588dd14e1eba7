import { mountPoints } from '../../../base/mountPoints.ts';
import { type EntryPath, pathOfBytes } from '../format/entryPath.ts';
import { RESERVED_NAME } from '../format/format.ts';
import type { TreeRoot } from './treeRoot.ts';

/** What is mounted inside a state directory, as paths within it: files and folders that can be neither removed nor replaced. */
export function mountsBelow({ path: root }: TreeRoot): readonly EntryPath[] {
  return mountPoints('latin1')
    .filter((point) => point.startsWith(`${root}/`))
    .map((point) => pathOfBytes(point.slice(root.length + 1)))
    .filter((path) => path.split('/', 1)[0] !== RESERVED_NAME);
}
