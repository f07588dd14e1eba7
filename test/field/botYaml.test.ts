import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../support/files/temporary.ts';
import { runRuntime } from '../support/process/executable.ts';

async function run(botYaml: string, config = '{}') {
  const dir = await temporaryDirectory();
  await writeFile(join(dir, 'bot.yaml'), botYaml);
  await writeFile(join(dir, 'config.json'), config);
  return runRuntime(['execute', dir], {});
}

const echo = 'runtime: command\nentrypoints:\n  bot: echo "$BOT_ID $BOT_CONFIG"\n';

test('files from Windows: a byte order mark and CR LF', async () => {
  const windows = (text: string) => `\ufeff${text.replaceAll('\n', '\r\n')}`;
  const end = await run(windows(`name: win\n${echo}`), windows('{\n"a": 1\n}\n'));
  expect(end.code, end.stderr).toBe(0);
  const [, name, config] = /^(\S+) (.*)$/s.exec(end.stdout) ?? [];
  expect([name, JSON.parse(config ?? '')]).toEqual(['win', { a: 1 }]);
});

test.each([
  ['no', 'no'],
  ['007', '007'],
  ['1e3', '1e3'],
  ['"2026-01-01"', '2026-01-01'],
])('a name is the text that stands there: %s', async (written, name) => {
  const end = await run(`name: ${written}\n${echo}`);
  expect(end, end.stderr).toMatchObject({ code: 0, stdout: `${name} {}\n` });
});

test('aliases that unfold to 10^10 words cost nothing where nobody reads them, and are refused where somebody does', async () => {
  const rows = 'abcdefghij'.split('').map((name, i, all) => {
    const entry = i === 0 ? 'x' : `*${all[i - 1]!}`;
    return `${name}: &${name} [${Array(10).fill(entry).join(', ')}]`;
  });
  const aside = await run(`name: bomb\n${rows.join('\n')}\n${echo}`);
  expect(aside, aside.stderr).toMatchObject({ code: 0, stdout: 'bomb {}\n' });
  const read = await run(`${rows.join('\n')}\nname: *j\n${echo}`);
  expect(read.code, read.stdout).toBe(78);
});

test.each([
  ['name: a\nname: b\n', 'bot.yaml:2'],
  ['name: !!python/object/apply:os.system ["id"]\n', 'bot.yaml:1'],
  ['name: a\n---\nname: b\n', 'bot.yaml:2'],
])('what has two meanings is refused with its line: %j', async (text, where) => {
  const end = await run(`${text}${echo}`);
  expect(end.code, end.stdout).toBe(78);
  expect(end.stderr).toContain(where);
});
