import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { botDirectory } from '../../../src/bot/config/botDirectory.ts';
import { mergeSources } from '../../../src/bot/config/mergeSources.ts';
import { invoke } from '../../support/process/invoke.ts';
import { knownKinds, read } from '../bot/config/sources.ts';

const root = mkdtempSync(join(tmpdir(), 'init-'));
const started: ChildProcess[] = [];
afterAll(() => {
  for (const child of started) child.kill('SIGKILL');
  rmSync(root, { recursive: true });
});

const run = promisify(execFile);

async function make(kind: string): Promise<string> {
  await invoke(['init', `my ${kind}`, '--kind', kind], { cwd: root });
  return join(root, `my ${kind}`);
}

test.each(['python3.11', 'nodejs20', 'command'])('a %s bot is read without a problem', async (kind) => {
  const directory = await make(kind);
  const files = await botDirectory(directory, {});
  const kinds = [...knownKinds, { id: 'nodejs20', aliases: [], entrypoint: 'file' as const }];
  const { env } = mergeSources({ env: {}, flags: {}, files });
  const config = await read(env, { knownKinds: kinds });
  expect(config).toMatchObject({ kind, botId: `my-${kind}`, botType: 'scheduled' });
  expect(config.queryEntrypoint).toBeDefined();
});

/** How the kinds call the samples' programs. */
const programs = {
  python: {
    bot: ['python3', '-c', 'import main; main.main("me", {"greeting": "Hello"})'],
    query: ['python3', 'query.py'],
  },
  nodejs: {
    bot: [process.execPath, '-e', 'require("./main.js").main("me", {greeting: "Hello"}, {})'],
    query: [process.execPath, 'query.js'],
  },
  command: { bot: ['sh', '-c', 'sh main.sh'], query: ['sh', '-c', 'sh query.sh'] },
} as const;

test.each([
  ['python3.11', programs.python],
  ['nodejs20', programs.nodejs],
  ['command', programs.command],
])('a %s bot counts its runs', async (kind, { bot: [file, ...args] }) => {
  const cwd = join(root, `my ${kind}`);
  const env = { ...process.env, BOT_ID: 'me', STATE_DIR: join(root, `state of ${kind}`, 'inner') };
  await run(file, args, { cwd, env });
  expect((await run(file, args, { cwd, env })).stdout).toBe('Hello from me, run 2\n');
});

test.each([
  ['python3.11', programs.python],
  ['nodejs20', programs.nodejs],
])('the query program of a %s bot answers as a server', async (kind, { query: [file, ...args] }) => {
  const port = await freePort();
  const env = {
    ...process.env,
    THE0_QUERY_PORT: String(port),
    STATE_DIR: join(root, `state of ${kind}`, 'inner'),
  };
  started.push(spawn(file, args, { cwd: join(root, `my ${kind}`), env, stdio: 'ignore' }));
  const ask = (path: string): Promise<Response> =>
    fetch(`http://127.0.0.1:${port}${path}`).catch(async () => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      return ask(path);
    });
  expect(await (await ask('/status?a=1')).json()).toEqual({
    status: 'ok',
    data: { runs: 2, params: { a: '1' } },
  });
  expect(await (await ask('/other')).json()).toMatchObject({ status: 'error' });
});

test.each([
  ['python3.11', 'query.py'],
  ['nodejs20', 'query.js'],
  ['command', 'query.sh'],
])('the query program of a %s bot writes its answer where the contract says', (kind, file) => {
  expect(readFileSync(join(root, `my ${kind}`, file), 'utf8')).toContain('/query/result.json');
});

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
    hint: `did you mean ${meant}? known: python3.11, nodejs20, command`,
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
