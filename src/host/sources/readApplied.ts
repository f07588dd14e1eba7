import { RuntimeError } from '../../base/errors.ts';
import { type Draft, readSpec } from '../bots/readSpec.ts';

/**
 * A bot's file that is to be written to a source, read as the source will read it. Throws `config` with every problem, and for code
 * that the source would not find: `takes` says what is wrong with it, where something is.
 */
export function readApplied(
  text: string,
  now: number,
  takes: (draft: Draft) => string | undefined,
): { readonly name: string } {
  const read = readSpec(text, now);
  const refused = 'problems' in read ? undefined : takes(read);
  const problems = 'problems' in read ? read.problems : refused === undefined ? [] : [refused];
  if ('problems' in read || problems.length > 0)
    throw new RuntimeError('config', 'this is not a bot:', { op: 'source.apply', problems });
  return { name: read.rest.name };
}
