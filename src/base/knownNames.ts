import { suggest } from './suggest.ts';

/** For a hint: the name that was probably meant, and all that there are. */
export function knownNames(name: string, known: readonly string[]): string {
  const meant = suggest(name, known);
  return `${meant === undefined ? '' : `did you mean ${meant}? `}known: ${known.join(', ')}`;
}
