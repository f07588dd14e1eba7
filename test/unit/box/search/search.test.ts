import { afterAll, beforeAll, expect, test } from 'vitest';
import { startBox, type TestBox } from '../../../support/box/startBox.ts';

let box: TestBox;
beforeAll(async () => {
  box = await startBox({ shared: true });
  await box.client.write('src/a.ts', 'one\nTODO: first\nthree\n');
  await box.client.write('src/deep/b c.ts', 'todo small\nTODO: a:b-c\n');
  await box.client.write('notes.md', 'TODO 3\n');
  await box.client.write('.git/config', 'TODO: not code\n');
  await box.exec("printf 'TODO\\0binary' > bin");
});
afterAll(() => box.end());

const search = async (body: object) => (await box.client.json('POST', '/search', body)).matches;
const places = async (body: object) =>
  (await search(body)).map(({ path, line }: { path: string; line: number }) => `${path}:${line}`).sort();

test('finds lines by a pattern, with where they are; neither in binary files nor in what git keeps', async () => {
  expect(await places({ pattern: 'TODO' })).toEqual(['notes.md:1', 'src/a.ts:2', 'src/deep/b c.ts:2']);
  expect(await places({ pattern: 'TODO:\\s\\w+:', cwd: 'src' })).toEqual(['deep/b c.ts:2']);
  expect(await places({ pattern: 'todo', ignoreCase: true, glob: '*.ts' })).toEqual([
    'src/a.ts:2',
    'src/deep/b c.ts:1',
    'src/deep/b c.ts:2',
  ]);
  expect(await places({ pattern: 'TODO', glob: 'src/*.ts' })).toEqual(['src/a.ts:2']);
  expect(await places({ pattern: 'TODO', glob: '**/*.ts' })).toEqual(['src/a.ts:2', 'src/deep/b c.ts:2']);
  expect(await search({ pattern: 'first', context: 1 })).toEqual([
    { path: 'src/a.ts', line: 2, column: 7, text: 'TODO: first', before: ['one'], after: ['three'] },
  ]);
  // Where in the line, in characters, and as the file has it, whatever is in it.
  await box.exec("printf 'ü \\033[m\\033[K red x\\n' > marked");
  const [marked] = await search({ pattern: 'x|red', glob: 'marked' });
  expect(marked).toEqual({ path: 'marked', line: 1, column: 10, text: 'ü \u001b[m\u001b[K red x' });
  expect(await search({ pattern: '^', glob: 'notes.md' })).toMatchObject([{ column: 1, text: 'TODO 3' }]);
  expect(await search({ pattern: 'nothing like it' })).toEqual([]);
  expect(await search({ pattern: 'TODO', maxResults: 1 })).toHaveLength(1);
  // A pattern is a pattern, whatever it looks like.
  expect(await search({ pattern: '--help' })).toEqual([]);
});

test('a pattern that is none is told so, and one that never ends costs only itself', async () => {
  expect((await box.ask('POST', '/search', { pattern: '(' })).status).toBe(400);
  expect((await box.ask('POST', '/search', {})).status).toBe(400);
  expect((await box.ask('POST', '/search', { pattern: 'x', glob: '{'.repeat(9) })).status).toBe(400);
  expect((await box.ask('POST', '/search', { pattern: 'x', maxResults: -1 })).status).toBe(400);
  await box.client.write('evil', `${'a'.repeat(50_000)}!\n`);
  const slow = box.ask('POST', '/search', { pattern: '^(a|a)*$' });
  expect((await box.exec('echo well')).stdout).toBe('well\n');
  expect([200, 400, 408]).toContain((await slow).status);
});
