import { isRuntimeError, RuntimeError, systemCode } from '../../../base/errors.ts';
import type { TreeRoot } from './treeRoot.ts';

const FULL =
  'The disk is full, or has no inodes left (`df -i`). While restoring, the new tree lies beside the old one.';

const hints: Readonly<Record<string, string>> = {
  ENOSPC: FULL,
  EDQUOT: FULL,
  EFBIG: 'A limit on the size of files (`ulimit -f`), or the file system, does not allow one that large.',
  EEXIST:
    'The file system takes two names of the state for the same. One that does not tell capitals or accents apart cannot hold it.',
  ENAMETOOLONG: 'The file system does not allow names that long.',
};

/** What the system said when the state directory was written to, as an error that says where, and what can be done. */
export function asDiskFailure(error: unknown, root: TreeRoot): unknown {
  const code = systemCode(error);
  if (isRuntimeError(error) || code === undefined) return error;
  const path = Buffer.from(root.path, 'latin1').toString('utf8');
  const entry = entryOf(error, path);
  const where = entry === undefined ? '' : ` (${entry})`;
  return new RuntimeError('unavailable', `the state cannot be written to ${path}: ${code}${where}`, {
    op: 'state.restore',
    path,
    hint: hints[code] ?? 'The state directory must be writable for the runtime.',
    cause: error,
  });
}

/** Which entry it was, where the system names one: in the state directory, or where the new tree is built. */
function entryOf(error: unknown, root: string): string | undefined {
  const { path } = error as { readonly path?: unknown };
  if (typeof path !== 'string') return undefined;
  if (path.startsWith(`${root}/`)) return path.slice(root.length + 1);
  return /^\/proc\/self\/fd\/\d+\/incoming\/(.+)$/s.exec(path)?.[1];
}
