import type { StateContext } from '../format/context.ts';
import { pathToText } from '../format/entryPath.ts';
import type { Scan } from '../local/scan.ts';

const NAMED = 5;

/** Warns of what cannot be saved, each once. `reported` remembers. */
export function reportSkipped(context: StateContext, skipped: Scan['skipped'], reported: Set<string>): void {
  const news = skipped.filter(({ path }) => !reported.has(path));
  for (const { path } of news) reported.add(path);
  for (const { path, what } of news.slice(0, NAMED)) {
    context.warn(`a ${what} cannot be saved and was left out of the state`, { path: pathToText(path) });
  }
  if (news.length > NAMED)
    context.warn('more of this kind were left out of the state', { count: news.length - NAMED });
}
