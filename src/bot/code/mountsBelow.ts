import { realpathSync } from 'node:fs';
import { mountPoints } from '../../base/mountPoints.ts';

/** Mount points at or below any of `names` in `directory`, as absolute paths. */
export function mountsBelow(directory: string, names: readonly string[]): string[] {
  const roots = names.map((name) => `${realpathSync(directory)}/${name}`);
  return mountPoints().filter((mount) =>
    roots.some((root) => mount === root || mount.startsWith(`${root}/`)),
  );
}
