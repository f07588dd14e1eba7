import { closest, distance } from 'fastest-levenshtein';

/** The known name that a typo probably meant: at most a third of its letters differ. */
export function suggest(name: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  const nearest = closest(name, [...known]);
  return distance(name, nearest) <= Math.max(1, Math.ceil(nearest.length / 3)) ? nearest : undefined;
}
