import { RuntimeError } from '../../../base/errors.ts';
import { fromLooseText } from '../format/entryPath.ts';
import type { Tree } from '../format/tree.ts';

/** The entry at `path`, everything below it, and the folders above it. Throws `not-found`. */
export function partOf(tree: Tree, path: string, sequence: number): Tree {
  const wanted = fromLooseText(path);
  const others = new Set<number>();
  for (const [index, entry] of tree.paths.entries()) {
    if (`${entry}/`.startsWith(`${wanted}/`) || wanted.startsWith(`${entry}/`)) continue;
    others.add(index);
  }
  const rest = tree.without(others);
  if (rest.paths.includes(wanted)) return rest;
  throw new RuntimeError('not-found', `snapshot ${sequence} has no ${JSON.stringify(path)}`, {
    op: 'state.read',
    path,
    hint: '`runtime state show` lists what it has.',
  });
}
