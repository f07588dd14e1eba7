/** What a page says that its commands show, in the order of the page. */
const shown: Readonly<Record<string, readonly RegExp[]>> = {
  'docs/tutorial.md': [
    /first-bot: run number 1\b/,
    /first-bot: run number 12\b/,
    /"status": "ok"/,
    /ended with 143/,
    /first-bot: run number 2\b/,
    /first-bot: run number 1\b/,
    /first-bot: run number 2\b/,
    /my-watcher.*running/,
  ],
};

/** The first thing that a page promises and its output does not show at its place. */
export function notShown(page: string, output: string): RegExp | undefined {
  let at = 0;
  for (const promise of shown[page] ?? []) {
    const found = promise.exec(output.slice(at));
    if (found === null) return promise;
    at += found.index + found[0].length;
  }
  return undefined;
}
