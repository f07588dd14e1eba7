import { distance } from 'fastest-levenshtein';

/**
 * The known name that was probably meant: a typo in at most a third of its letters, or its beginning alone, which may have a
 * typo as well (`pyton` for `python3.11`).
 */
export function suggest(name: string, known: readonly string[]): string | undefined {
  const typed = name.toLowerCase();
  if (typed.length < 2) return undefined;
  const [nearest] = known
    .flatMap((whole) => [whole, whole.slice(0, typed.length + 1)].map((text) => ({ whole, text })))
    .map(({ whole, text }) => ({ whole, text, wrong: distance(typed, text.toLowerCase()) }))
    .filter(({ text, wrong }) => wrong <= Math.max(1, Math.ceil(text.length / 3)))
    .sort((a, b) => a.wrong - b.wrong);
  return nearest?.whole;
}
