import { readdirSync } from 'node:fs';
import { toSystemPath } from '../format/entryPath.ts';
import { RESERVED_NAME } from '../format/format.ts';
import type { TreeRoot } from './treeRoot.ts';

/** Whether nothing but what is ours lies in a state directory. */
export function isEmpty({ path }: TreeRoot): boolean {
  return readdirSync(toSystemPath(path)).every((name) => name === RESERVED_NAME);
}
