import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runRuntime } from '../support/process/executable.ts';

const root = join(import.meta.dirname, '../..');

/** What a page says in running text or in a table, `like this`; blocks of commands are run (commands.test.ts). */
async function mentioned(): Promise<Map<string, string>> {
  const pages = ['README.md', 'CONTRIBUTING.md', 'examples/README.md'];
  for (const name of await readdir(join(root, 'docs'))) if (name.endsWith('.md')) pages.push(`docs/${name}`);
  const found = new Map<string, string>();
  for (const page of pages)
    for (const [, code = ''] of (await readFile(join(root, page), 'utf8')).matchAll(
      /(?<!`)`([^`\n]+)`(?!`)/g,
    ))
      found.set(code.replaceAll('\\|', '|'), page);
  return found;
}

interface Mention {
  readonly words: readonly string[];
  readonly options: readonly string[];
}

/** `runtime state ls|show BOT --json`, `runtime bots run BOT | rm BOT`: each command with the options that are said of it. */
function commandsIn(code: string): Mention[] {
  const [, line = ''] = /^runtime ([a-z][a-z|-]*(?: .*)?)$/.exec(code) ?? [];
  const [first, ...others] = line.split(' | ').map((part): Mention => {
    const words = part.split(' ').slice(0, 2);
    const end = words.findIndex((word) => !/^[a-z][a-z-]*(\|[a-z-]+)*$/.test(word));
    return { words: end < 0 ? words : words.slice(0, end), options: part.match(/--[a-z][a-z-]*/g) ?? [] };
  });
  if (first === undefined) return [];
  // `bot-runner | bot-scheduler` are commands of their own, `kinds --schema | lock FILE` is one of the first word.
  const group = /^\S+ [^|]/.test(line) ? first.words.slice(0, 1) : [];
  const all = [first, ...others.map((one) => ({ ...one, words: [...group, ...one.words.slice(0, 1)] }))];
  return all.flatMap(({ words: [one = '', two = ''], options }) =>
    one.split('|').flatMap((a) => two.split('|').map((b) => ({ words: [a, b].filter(Boolean), options }))),
  );
}

const helpOf = async (words: readonly string[]) =>
  await runRuntime([...words, '--help'], { STORE_URL: 'file:///nowhere' });

/** Why a command is none; undefined: it is one. */
async function wrong({ words, options }: Mention): Promise<string | undefined> {
  const { code, stdout } = await helpOf(words);
  if (code !== 0) return `runtime ${words.join(' ')}: there is no such command`;
  const missing = options.filter((option) => !new RegExp(`${option}\\b`).test(stdout));
  return missing.length > 0 ? `runtime ${words.join(' ')}: no option ${missing.join(', ')}` : undefined;
}

test('every command that the documentation mentions exists, with the options that it mentions', async () => {
  const problems = new Set<string>();
  for (const [code, page] of await mentioned())
    for (const command of commandsIn(code)) {
      if (command.words.length === 0) continue;
      const problem = await wrong(command);
      if (problem !== undefined) problems.add(`${page}: ${problem}`);
    }
  expect([...problems]).toEqual([]);
}, 300_000);

test('every script that the documentation mentions exists', async () => {
  const scripts = [...(await mentioned())].flatMap(([code, page]) => {
    const [path] = /^(?:\.\/)?scripts\/[A-Za-z0-9._/-]+/.exec(code) ?? [];
    return path === undefined || existsSync(join(root, path)) ? [] : [`${page}: ${path}`];
  });
  expect(scripts).toEqual([]);
});

test('every file of the source that the documentation mentions exists', async () => {
  const files = [...(await mentioned())].flatMap(([code, page]) => {
    if (!/^(src|test|images|examples|kinds|deploy)\/[A-Za-z0-9._/-]+$/.test(code)) return [];
    return existsSync(join(root, code)) || existsSync(join(root, `${code}.test.ts`))
      ? []
      : [`${page}: ${code}`];
  });
  expect(files).toEqual([]);
});

test('negative control: commands and options that are not there are found', async () => {
  expect(commandsIn('runtime state ls|show BOT --json')).toEqual([
    { words: ['state', 'ls'], options: ['--json'] },
    { words: ['state', 'show'], options: ['--json'] },
  ]);
  expect(commandsIn('runtime bots run BOT | rm BOT --at N').map(({ words }) => words)).toEqual([
    ['bots', 'run'],
    ['bots', 'rm'],
  ]);
  expect(await wrong({ words: ['state', 'vanish'], options: [] })).toContain('no such command');
  expect(await wrong({ words: ['state', 'ls'], options: ['--colour'] })).toContain('no option --colour');
});
