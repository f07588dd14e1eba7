import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Env } from '../../../../src/base/env.ts';
import { RuntimeError } from '../../../../src/base/errors.ts';
import { botDirectory } from '../../../../src/bot/config/botDirectory.ts';
import { mergeSources } from '../../../../src/bot/config/mergeSources.ts';
import { read } from './sources.ts';

const root = mkdtempSync(join(tmpdir(), 'directory-'));
afterAll(() => rmSync(root, { recursive: true }));

let count = 0;
function directory(files: Record<string, string>, name = `bot-${++count}`): string {
  const path = join(root, name);
  mkdirSync(path);
  for (const [file, content] of Object.entries(files)) writeFileSync(join(path, file), content);
  return path;
}

async function configOf(path: string, env: Env = {}) {
  const files = await botDirectory(path, env);
  const merged = mergeSources({ env, flags: {}, files });
  return { config: await read(merged.env, { origins: merged.origins }), notes: files.notes };
}

async function problemsOf(path: string): Promise<readonly string[]> {
  const error = await configOf(path).catch((thrown: unknown) => thrown);
  if (!(error instanceof RuntimeError && error.exitCode === 78)) throw error;
  return error.problems;
}

const yaml = `
name: my-bot
type: realtime
runtime: python3.11
version: 1.0.0
entrypoints:
  bot: main.py
  query: query.py
task:
  inputs: [{id: rows, path: rows.csv}]
`;

test.each(['bot.yaml', 'bot-config.yaml'])(
  '%s says what to run; everything else lies in .runtime',
  async (file) => {
    const path = directory({ [file]: yaml, 'config.json': '{"a": 1}' });
    const { config, notes } = await configOf(path);
    expect(notes).toEqual([]);
    expect(config).toMatchObject({
      botId: 'my-bot',
      botType: 'realtime',
      kind: 'python3.11',
      entrypoint: 'main.py',
      queryEntrypoint: 'query.py',
      botConfig: '{"a": 1}',
      task: { name: 'my-bot', inputs: [{ id: 'rows' }] },
      code: { file: undefined },
      store: { type: 'file', path: `${path}/.runtime/store` },
      paths: {
        code: path,
        state: `${path}/.runtime/state`,
        stateDir: `${path}/.runtime/state/.the0-state`,
        logs: `${path}/.runtime/logs`,
        exitFile: `${path}/.runtime/exit.json`,
        doneFile: `${path}/.runtime/done`,
      },
      user: undefined,
    });
  },
);

test('bot.yaml wins over the older file, variables over both', async () => {
  const path = directory({ 'bot.yaml': yaml, 'bot-config.yaml': yaml.replace('my-bot', 'older') });
  expect((await configOf(path)).config.botId).toBe('my-bot');
  expect((await configOf(path, { BOT_ID: 'mine', BOT_CONFIG: '[]' })).config).toMatchObject({
    botId: 'mine',
    botConfig: '[]',
  });
});

test('neither variables of a container nor of a real store reach a bot in its directory', async () => {
  const path = directory({ 'main.py': '' });
  const env = { CODE_FILE: 'x.zip', CODE_PATH: '/bot', MINIO_ENDPOINT: 'real:9000', MINIO_ACCESS_KEY: 'x' };
  const { config } = await configOf(path, env);
  expect(config).toMatchObject({ code: { file: undefined }, paths: { code: path }, store: { type: 'file' } });
});

test('a path that a URL would change', async () => {
  const path = directory({ 'main.py': '' }, 'odd %41 #?ü');
  const { config } = await configOf(path);
  expect(config.store).toEqual({ type: 'file', path: `${path}/.runtime/store` });
  expect(config.botId).toBe('odd--41----');
});

test.each([
  ['python3.11', 'main.py', { 'main.py': '', 'index.js': '' }],
  ['nodejs20', 'index.js', { 'index.js': '', 'main.js': '' }],
  ['nodejs20', 'main.js', { 'main.js': '' }],
  ['nodejs20', 'bot.mjs', { 'package.json': '{"main": "bot.mjs"}', 'bot.mjs': '', 'index.js': '' }],
  ['nodejs20', 'index.js', { 'package.json': '{"main": "missing.js"}', 'index.js': '' }],
])('without bot.yaml: %s runs %s', async (runtime, entrypoint, files) => {
  const path = directory(files);
  const { defaults, notes } = await botDirectory(path, {});
  expect(defaults).toMatchObject({ RUNTIME: runtime, ENTRYPOINT: entrypoint });
  expect(notes).toEqual([`no bot.yaml in ${path}: running ${entrypoint} as ${runtime}`]);
});

test('a kind that is given guides the guess, an entrypoint that is given ends it', async () => {
  const path = directory({ 'main.py': '', 'index.js': '' });
  expect((await botDirectory(path, { RUNTIME: 'nodejs20' })).defaults.ENTRYPOINT).toBe('index.js');
  expect((await botDirectory(path, { ENTRYPOINT: 'x' })).defaults.ENTRYPOINT).toBeUndefined();
});

test('problems name file and line', async () => {
  expect(await problemsOf(directory({ 'bot.yaml': 'name: a\nruntime: [1\n' }))).toEqual([
    expect.stringMatching(/^bot\.yaml:\d:\d+: /),
  ]);
  expect(
    await problemsOf(directory({ 'bot.yaml': 'type: realtime\nname: [7]\nentrypoints: {bot: {}}\n' })),
  ).toEqual(['bot.yaml:2: name is not a text', 'bot.yaml:3: entrypoints.bot is not a text']);
  const named = directory({ 'bot.yaml': 'type: realtime\nname: my bot\n', 'main.py': '' });
  expect(await problemsOf(named)).toEqual([expect.stringContaining('BOT_ID="my bot" (from bot.yaml:2)')]);
});

test.each([
  ['main.py\n', ['bot.yaml:1: the file is not a mapping']],
  ['- main.py\n', ['bot.yaml:1: the file is not a mapping']],
  ['name: x\nentrypoints: main.py\n', ['bot.yaml:2: entrypoints is not a mapping']],
])('%j is not taken for a file that names no program', async (text, problems) => {
  expect(await problemsOf(directory({ 'bot.yaml': text, 'main.py': '' }))).toEqual(problems);
});

test.each(['', '# nothing yet\n', 'entrypoints:\n'])('%j names no program', async (text) => {
  const { config } = await configOf(directory({ 'bot.yaml': text, 'main.py': '' }));
  expect(config.entrypoint).toBe('main.py');
});

test('a name that looks like a number is meant as it is written', async () => {
  const { config } = await configOf(directory({ 'bot.yaml': 'name: 007', 'main.py': '' }));
  expect(config.botId).toBe('007');
});

test.each([
  ['{"a": 1,\n}', 'config.json:2:1 is not JSON'],
  ['{"a":\n\nhush}', 'config.json:3 is not JSON'],
  ['{"a": 1,\n"b": 2', 'config.json:2:7 is not JSON'],
  ['', 'config.json:1 is not JSON'],
])('config.json %j: file and line, nothing of its content', async (content, problem) => {
  expect(await problemsOf(directory({ 'config.json': content, 'main.py': '' }))).toEqual([problem]);
});

test('files that do not fit into an environment are refused', async () => {
  const path = directory({ 'config.json': `"${'x'.repeat(200_000)}"`, 'main.py': '' });
  expect(await problemsOf(path)).toEqual([expect.stringMatching(/^config\.json has 200002 bytes/)]);
});

test('a YAML bomb is refused', async () => {
  const levels = Array.from({ length: 12 }, (_, at) => `l${at + 1}: &l${at + 1} [${`*l${at},`.repeat(9)}]`);
  const bomb = `l0: &l0 [x]\n${levels.join('\n')}\ntask: {inputs: *l12}\n`;
  expect(await problemsOf(directory({ 'bot.yaml': bomb, 'main.py': '' }))).toHaveLength(1);
});

test('a directory that is not there is 66', async () => {
  await expect(botDirectory(join(root, 'missing'), {})).rejects.toMatchObject({
    code: 'not-found',
    exitCode: 66,
  });
});

test.each(['bot.yaml', 'config.json'])(
  '%s that is a pipe is a problem, and nobody waits for its writer',
  async (file) => {
    const path = directory(file === 'bot.yaml' ? {} : { 'bot.yaml': yaml });
    execFileSync('mkfifo', [join(path, file)]);
    expect(await problemsOf(path)).toContain(`${file} is not a regular file`);
  },
);
