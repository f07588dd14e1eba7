import { isRuntimeError, RuntimeError, systemCode } from '../../../base/errors.ts';
import type { TreeRoot } from './treeRoot.ts';

/** What the system said when the state directory was written to, as an error that says what can be done. */
export function asDiskFailure(error: unknown, root: TreeRoot): unknown {
  const code = systemCode(error);
  if (isRuntimeError(error) || code === undefined) return error;
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  const path = Buffer.from(root.path, 'latin1').toString('utf8');
  return new RuntimeError('unavailable', `the state cannot be written to ${path}: ${code}`, {
    op: 'state.restore',
    path,
    hint: full
      ? 'The disk is full. While restoring, the new tree lies beside the old one.'
      : 'The state directory must be writable for the runtime.',
    cause: error,
  });
}
