import { existsSync, realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { RuntimeError } from '../../base/errors.ts';

/**
 * Where one bucket lies: objects in `<dir>/<bucket>/<key>`, everything else in `<dir>/.<bucket>/`. No bucket's name
 * begins with a dot, so no key can name a lock or a temporary file, and no listing can meet one.
 */
export interface FileLayout {
  readonly bucket: string;
  readonly temp: string;
  readonly own: string;
  pathOf(key: string): string;
  /** Throws `refused` when what exists of the way to `path` leads through a symbolic link. */
  checkInside(path: string): void;
}

export function fileLayout(dir: string, bucket: string): FileLayout {
  const base = resolve(dir);
  const root = join(base, bucket);
  const own = join(base, `.${bucket}`);
  return {
    bucket: root,
    temp: join(own, 'tmp'),
    own,
    pathOf: (key) => join(root, key),
    checkInside(path) {
      let parent = dirname(path);
      while (parent !== base && !existsSync(parent)) parent = dirname(parent);
      // The directory itself may be a link: it is the operator's choice. What lies below is not.
      if (parent === base || realpathSync(parent) === join(realpathSync(base), parent.slice(base.length)))
        return;
      throw new RuntimeError('refused', `${parent} leads through a symbolic link`, {
        op: 'store.open',
        path,
        hint: 'Nothing below the store directory may be a symbolic link.',
      });
    },
  };
}
