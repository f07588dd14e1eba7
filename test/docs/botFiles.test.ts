import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readSpec } from '../../src/host/bots/readSpec.ts';

const docs = join(import.meta.dirname, '../../docs');

/** The files of a host's bots in the documentation, by page. */
function botFiles(): { page: string; text: string }[] {
  return (
    readdirSync(docs)
      // The agent there has its entrypoint from its kind, and is run by `runtime execute`.
      .filter((name) => name.endsWith('.md') && name !== 'agents.md')
      .flatMap((page) =>
        [...readFileSync(join(docs, page), 'utf8').matchAll(/```yaml\n((?:#.*\n)?name:[\s\S]*?)```/g)].map(
          ([, text = '']) => ({ page, text: whole(text) }),
        ),
      )
  );
}

/** Pages show all fields in one file: a hash that is only hinted at, and a schedule, which is for scheduled bots alone. */
const whole = (text: string): string =>
  text
    .replace('sha256: …', `sha256: ${'ab'.repeat(32)}`)
    .replace(/^type: realtime(?= +# or scheduled$)/m, 'type: scheduled');

const problemsOf = (text: string): readonly string[] => {
  const read = readSpec(text, Date.now());
  return 'problems' in read ? read.problems : [];
};

test("every bot's file in the documentation is one that a host takes, and one with a wrong field is not", () => {
  const files = botFiles();
  expect(files.map(({ page }) => page)).toContain('hosts.md');
  for (const { page, text } of files) expect(problemsOf(text), page).toEqual([]);
  expect(problemsOf(`${files.find(({ page }) => page === 'hosts.md')!.text}colour: red\n`)).not.toEqual([]);
});
