import { readFileSync } from 'node:fs';
import { type Plugin, transform } from 'esbuild';

/** What sources import `with { type: 'text' }` is in every container's executable: without comments, for people's sake alone. */
export const programsAsText: Plugin = {
  name: 'programs as text',
  setup({ onLoad }) {
    onLoad({ filter: /\/src\/.*\.py$/ }, ({ path }) => ({
      contents: minifyPython(readFileSync(path, 'utf8')),
      loader: 'text',
    }));
    onLoad({ filter: /\/src\/.*\.cjs$/ }, async ({ path }) => {
      const { code } = await transform(readFileSync(path, 'utf8'), {
        loader: 'js',
        target: 'node20',
        minifyWhitespace: true,
        minifySyntax: true,
      });
      return { contents: code, loader: 'text' };
    });
  },
};

/** Without docstrings, comments that have a line of their own, empty lines, and all but one blank a level. */
export function minifyPython(text: string): string {
  return text
    .replace(/^ *"""[\s\S]*?"""\n/gm, '')
    .replace(/^ *#.*\n/gm, '')
    .replace(/^\n/gm, '')
    .replace(/^(?: {4})+/gm, (indent) => ' '.repeat(indent.length / 4));
}
