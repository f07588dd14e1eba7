import { refused } from './refused.ts';
import type { TreeEntry } from './treeEntry.ts';

/** As Linux has it. */
const MAX_HOPS = 40;
/** Path segments walked for all symlinks together: about a second. Real archives need a few thousand. */
const MAX_STEPS = 1_000_000;

/**
 * Refuses a tree in which following some symlink leads out of it. Targets are walked as the kernel would, through
 * other symlinks: `x/..` is the parent of what `x` points to, so looking at the text of a target is not enough.
 */
export function checkSymlinks(entries: ReadonlyMap<string, TreeEntry>): void {
  let steps = 0;
  for (const link of entries.values()) {
    if (link.type !== 'symlink') continue;
    const at = link.path.split('/').slice(0, -1);
    const todo = link.target.split('/').reverse();
    let hops = 0;
    for (let segment = todo.pop(); segment !== undefined; segment = todo.pop()) {
      if (++steps > MAX_STEPS)
        throw refused('its symlinks take too many steps to follow', { entry: link.path });
      if (segment === '' || segment === '.') continue;
      if (segment === '..') {
        if (at.pop() === undefined) throw leaves(link.path);
        continue;
      }
      at.push(segment);
      const entry = entries.get(at.join('/'));
      if (entry?.type !== 'symlink') continue;
      if (++hops > MAX_HOPS) throw refused('a symlink leads in a circle', { entry: link.path });
      at.pop();
      todo.push(...entry.target.split('/').reverse());
    }
  }
}

/** Refuses targets that no symlink inside a tree can have. */
export function checkSymlinkTarget(path: string, target: string): void {
  if (target === '' || target.length > 1024)
    throw refused('a symlink has an empty target or one that is too long', { entry: path });
  if (target.includes('\0') || target.includes('\ufffd') || target.includes('\\')) {
    throw refused('a symlink has a target that is not a path', { entry: path });
  }
  if (target.startsWith('/')) throw leaves(path);
}

function leaves(entry: string) {
  return refused('a symlink leaves the archive', {
    entry,
    hint: 'Pack the file itself in place of the symlink (zip without -y, tar with -h).',
  });
}
