import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import type { Finding } from '../../../src/base/finding.ts';
import { temporaryDirectory } from '../../support/files/temporary.ts';
import { runRuntime } from '../../support/process/executable.ts';

async function bot(files: Record<string, string>): Promise<string> {
  const dir = await temporaryDirectory();
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, name)), { recursive: true });
    await writeFile(join(dir, name), text);
  }
  return dir;
}

/** Its exit is that of a start. */
async function examine(dir: string, env: Record<string, string> = {}) {
  const { code, stdout } = await runRuntime(['doctor', '--json', dir], env);
  expect((await runRuntime(['execute', dir], env)).code).toBe(code);
  const { checks } = JSON.parse(stdout) as { checks: readonly Finding[] };
  return { code, find: (name: string) => checks.find(({ check }) => check === name), text: stdout };
}

const yaml = (runtime: string, entrypoint: string, more = '') =>
  `runtime: ${runtime}\nentrypoints:\n  bot: ${JSON.stringify(entrypoint)}\n${more}`;

test('in place nothing is said of containers, images and their first process', async () => {
  const query = '  query: "true"\n';
  const { code, text, find } = await examine(await bot({ 'bot.yaml': yaml('command', 'true', query) }));
  expect(code).toBe(0);
  expect(text).not.toMatch(/container|docker|image|tini|BOT_USER/i);
  expect(find('reaping')).toBeUndefined();
  expect(find('credentials')).toMatchObject({ status: 'ok' });
});

test('a query port that somebody has: a start takes another one', async () => {
  const server = createServer().listen(0);
  await new Promise((resolve) => server.once('listening', resolve));
  try {
    const { port } = server.address() as { port: number };
    const dir = await bot({ 'bot.yaml': yaml('command', 'true', '  query: "true"\ntype: realtime\n') });
    const { code, find } = await examine(dir, { QUERY_PORT: String(port) });
    expect(code).toBe(0);
    expect(find('query port')).toMatchObject({ status: 'warn', message: `${port} is taken` });
  } finally {
    server.close();
  }
});

test('a program that is not built yet: 127', async () => {
  const dir = await bot({ 'bot.yaml': yaml('rust-stable', 'bot'), 'main.rs': '', build: '' });
  const { code, find } = await examine(dir);
  expect(code).toBe(127);
  expect(find('code')?.hint).toContain(`${join(dir, 'build')} builds it`);
});

test('a class of a jar is no part of a file’s name', async () => {
  const dir = await bot({ 'bot.yaml': yaml('scala3', 'app.jar:Main'), 'app.jar': '' });
  const { stdout } = await runRuntime(['doctor', '--json', dir], {});
  const { checks } = JSON.parse(stdout) as { checks: readonly Finding[] };
  expect(checks.find(({ check }) => check === 'code')).toMatchObject({ status: 'ok' });
});

test('what answers queries is not there: a warning, the bot runs', async () => {
  const dir = await bot({
    'bot.yaml': yaml('python3.11', 'main.py', '  query: absent.py\n'),
    'main.py': 'pass\n',
  });
  const { code, find } = await examine(dir);
  expect(code).toBe(0);
  expect(find('query program')).toMatchObject({
    status: 'warn',
    message: expect.stringContaining('absent.py does not exist'),
  });
  expect((await runRuntime(['doctor', dir], { QUERY_PATH: '/' })).code).toBe(127);
});

test.each([
  ['path: rows.csv', 'code'],
  ['key: rows.csv', 'input rows'],
])('an input (%s) that is not there: 66', async (input, check) => {
  const task = `task:\n  inputs: [{ id: rows, ${input} }]\n`;
  const { code, find } = await examine(await bot({ 'bot.yaml': yaml('command', 'true', task) }));
  expect(code).toBe(66);
  expect(find(check)).toMatchObject({ status: 'fail' });
});

test('in place its folder has to be writable, and an interpreter to be installed', async () => {
  const dir = await bot({ 'bot.yaml': yaml('nodejs20', 'main.js'), 'main.js': '' });
  const { code, find } = await examine(dir, { PATH: '/nonexistent' });
  expect(code).toBe(127);
  expect(find('kind')?.hint).toBe('Install it, or name its folder in PATH.');
});

test('a folder without a bot, a file in the place of a folder, words of a command twice', async () => {
  const empty = await bot({});
  const none = await examine(empty);
  expect(none.code).toBe(78);
  expect(none.find('configuration')?.message).toContain('there is no bot in');
  const misnamed = await examine(await bot({ 'bot.yml': yaml('command', 'true') }));
  expect(misnamed.find('configuration')?.hint).toBe('bot.yml is not read: name it bot.yaml.');

  const blocked = await examine(await bot({ 'bot.yaml': yaml('command', 'true'), '.runtime/state': '' }));
  expect(blocked.code).toBe(78);
  expect(blocked.find('STATE_PATH')?.message).toMatch(/state is not a folder$/);

  const wrong = await examine(await bot({ 'bot.yaml': yaml('command', 'echo {no.path}') }));
  expect(wrong.code).toBe(78);
  expect(wrong.text.split('unknown placeholder')).toHaveLength(2);
});

test('a field that is not read is told beside the one that is missing', async () => {
  const { code, find } = await examine(
    await bot({ 'bot.yaml': 'runtime: python3.11\nentrypoint: main.py\n' }),
  );
  expect(code).toBe(78);
  expect(find('configuration')?.message).toMatch(
    /ENTRYPOINT is not set.*bot\.yaml:2: .*did you mean entrypoints\?/,
  );
});

test('--env-file and --config are those of a start, and need a DIR', async () => {
  const dir = await bot({ 'bot.yaml': yaml('command', 'true'), 'a.env': 'SYNC_INTERVAL=never\n' });
  const file = join(dir, 'a.env');
  for (const command of ['doctor', 'execute']) {
    expect((await runRuntime([command, dir, '--env-file', file], {})).code).toBe(78);
    expect((await runRuntime([command, dir, '--config', '{'], {})).code).toBe(78);
    expect((await runRuntime([command, dir, '--config', '{}'], {})).code).toBe(0);
    expect((await runRuntime([command, '--env-file', file], {})).code).toBe(64);
  }
});
