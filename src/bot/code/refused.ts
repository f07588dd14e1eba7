import { RuntimeError } from '../../base/errors.ts';

const HINT =
  'Pack the code again as zip, tar, tar.gz or tar.zst, with relative names that stay inside the archive.';

/** The error for an archive that is not taken. It is refused whole: nothing of it is left on disk. */
export function refused(
  reason: string,
  details: { entry?: string; hint?: string; cause?: unknown } = {},
): RuntimeError {
  const { entry, hint = HINT, cause } = details;
  // JSON: an entry's name is the archive's, and may hold terminal escapes; long ones are cut.
  const where = entry === undefined ? '' : ` (entry ${JSON.stringify(entry.slice(0, 200))})`;
  return new RuntimeError('damaged', `code archive refused: ${reason}${where}`, {
    op: 'code.unpack',
    hint,
    ...(cause === undefined ? {} : { cause }),
  });
}
