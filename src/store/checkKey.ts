import { RuntimeError } from '../base/errors.ts';

/** S3's limit. */
const MAX_KEY_BYTES = 1024;
const controlCharacter = /\p{Cc}/u;

/** Refuses a key that some store could not keep, or could take for another one. */
export function checkKey(key: string, op: string): void {
  const problem = keyProblem(key);
  if (problem === undefined) return;
  // JSON: the key may hold line breaks that must not reach a log.
  throw new RuntimeError('damaged', `${JSON.stringify(key)} is not a valid object key: ${problem}`, {
    op,
    hint: 'Keys are /-separated names without empty, "." or ".." parts and without control characters.',
  });
}

function keyProblem(key: string): string | undefined {
  if (!key.isWellFormed()) return 'it is not valid Unicode';
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) return `it is longer than ${MAX_KEY_BYTES} bytes`;
  if (controlCharacter.test(key)) return 'it holds a control character';
  for (const segment of key.split('/')) {
    if (segment === '') return 'it has an empty part';
    if (segment === '.' || segment === '..') return `it has a part "${segment}"`;
  }
  return undefined;
}
