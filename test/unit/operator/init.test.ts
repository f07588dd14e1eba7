import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { botDirectory } from '../../../src/bot/config/botDirectory.ts';
import { mergeSources } from '../../../src/bot/config/mergeSources.ts';
import { builtInKinds } from '../../../src/bot/kinds/builtIn.ts';
import { samples } from '../../../src/operator/init/samples.ts';
import { invoke } from '../../support/process/invoke.ts';
import { read } from '../bot/config/sources.ts';

const root = mkdtempSync(join(tmpdir(), 'init-'));
afterAll(() => rmSync(root, { recursive: true }));

const examples = join(import.meta.dirname, '../../../examples');

test('every built-in kind has a sample', () => {
  expect(Object.keys(samples)).toEqual(builtInKinds.map(({ id }) => id));
});

test('a kind is also known by its other names', async () => {
  const { code, stdout } = await invoke(['init', 'alias', '--kind', 'cpp-gcc13'], { cwd: root });
  expect(code).toBe(0);
  // One that does not end by itself, other than most of these.
  expect(stdout).toMatch(/^now: alias\/build && runtime execute alias {4}# until Ctrl-C$/m);
  expect(readFileSync(join(root, 'alias/bot.yaml'), 'utf8')).toMatch(/^runtime: gcc13$/m);
});

test.each(Object.entries(samples))(
  'a %s bot begins as examples/%s, and is read without a problem',
  async (kind, example) => {
    await invoke(['init', `my ${kind}`, '--kind', kind], { cwd: root });
    const directory = join(root, `my ${kind}`);
    const files = await botDirectory(directory, {});
    const { env } = mergeSources({ env: {}, flags: {}, files });
    const config = await read(env, { knownKinds: builtInKinds });
    expect(config).toMatchObject({ kind, botId: `my-${kind}` });
    expect(config.queryEntrypoint).toBeDefined();
    const own = ['.gitignore', 'README.md', 'bot.yaml'];
    const made = readdirSync(directory).filter((name) => !own.includes(name));
    for (const name of made)
      expect(readFileSync(join(directory, name))).toEqual(readFileSync(join(examples, example, name)));
    expect(readFileSync(join(directory, '.gitignore'), 'utf8')).toMatch(/^\.runtime\/\n/);
    const isCompiled = made.includes('build');
    if (isCompiled) expect(statSync(join(directory, 'build')).mode & 0o111).not.toBe(0);
    expect(readFileSync(join(directory, 'README.md'), 'utf8').includes('./build')).toBe(isCompiled);
  },
);

test('a directory with anything in it is left alone', async () => {
  const directory = join(root, 'full');
  mkdirSync(directory);
  writeFileSync(join(directory, '.hidden'), '');
  await expect(invoke(['init', directory])).rejects.toMatchObject({ code: 'refused' });
  expect(() => statSync(join(directory, 'bot.yaml'))).toThrow();
});

test.each([
  ['nodejs', 'nodejs20'],
  ['pyton', 'python3.11'],
])('the unknown kind %s is 64 with the suggestion %s', async (kind, meant) => {
  await expect(invoke(['init', join(root, 'x'), '--kind', kind])).rejects.toMatchObject({
    exitCode: 64,
    hint: `did you mean ${meant}? known: ${Object.keys(samples).join(', ')}`,
  });
});
