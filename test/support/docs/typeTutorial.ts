// For scripts/fresh-tutorial. Prints what it types; with a transcript as its argument, fails where that does not show what the page says.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { blocksOf, scriptOf } from './page.ts';
import { notShown } from './shown.ts';

const page = 'docs/tutorial.md';
const [transcript] = process.argv.slice(2);
if (transcript === undefined) {
  const blocks = blocksOf(readFileSync(join(import.meta.dirname, '../../..', page), 'utf8'));
  process.stdout.write(scriptOf(blocks, { isNotRun: () => false, endless: [] }));
} else {
  const missing = notShown(page, readFileSync(transcript, 'utf8'));
  if (missing !== undefined) throw new Error(`${page} says that ${missing} is shown, and it is not`);
}
