import { RuntimeError } from '../../../base/errors.ts';
import { pathToText } from './entryPath.ts';
import type { Tree } from './tree.ts';

/** In bytes, of what the files hold. */
export interface Limits {
  readonly maxBytes: number;
  readonly maxFileBytes: number | undefined;
}

/** `op` of the error for a state that is too large. */
export const LIMIT = 'state.limit';

/** Throws `damaged` with the operation `LIMIT` when a tree is over its limits. */
export function checkLimits(tree: Tree, { maxBytes, maxFileBytes }: Limits): void {
  const { bytes } = tree.totals();
  if (bytes > maxBytes)
    throw tooLarge(`its files hold ${bytes} bytes, ${maxBytes} are allowed`, 'MAX_STATE_SIZE_MB');
  if (maxFileBytes === undefined) return;
  for (let i = 0; i < tree.length; i++) {
    if (tree.size(i) <= maxFileBytes) continue;
    const name = JSON.stringify(pathToText(tree.paths[i]!));
    throw tooLarge(
      `${name} has ${tree.size(i)} bytes, ${maxFileBytes} are allowed for a file`,
      'MAX_STATE_FILE_SIZE_MB',
    );
  }
}

function tooLarge(what: string, variable: string): RuntimeError {
  // Named here as well: what becomes of a final sync is told without hints.
  return new RuntimeError('damaged', `the state is too large: ${what} (${variable})`, {
    op: LIMIT,
    hint: `Delete what is not needed, or raise ${variable}. The last snapshot stays as it is.`,
  });
}
