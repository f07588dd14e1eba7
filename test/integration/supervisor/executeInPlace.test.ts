import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryDirectory } from '../../support/files/temporary.ts';
import { debugpyFolder } from '../../support/process/debugpy.ts';
import { executable, runRuntime, startRuntime } from '../../support/process/executable.ts';
import { freePort } from '../../support/process/freePort.ts';

async function botDirectory(files: Record<string, string>): Promise<string> {
  const dir = join(await temporaryDirectory(), 'my-bot');
  await mkdir(dir);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, name)), { recursive: true });
    await writeFile(join(dir, name), text);
  }
  return dir;
}

const echo = { 'bot.yaml': 'runtime: command\nentrypoints:\n  bot: echo "$WORD" "$BOT_CONFIG"\n' };

test.each(['.venv', 'venv'])('Python bot and query run from %s', async (name) => {
  const say = 'import sys, its_library\n';
  const dir = await botDirectory({
    'bot.yaml': 'runtime: python3.11\nentrypoints:\n  bot: main.py\n  query: query.py\n',
    'main.py': `${say}print(sys.prefix, its_library.WORD)\n`,
    'query.py': `${say}import os\nos.write(1, ('{"status":"ok","data":"%s"}' % its_library.WORD).encode())\n`,
  });
  // Negative control: outside of it there is no such library.
  expect((await runRuntime(['execute', dir], {})).code).toBe(1);
  await promisify(execFile)('python3.11', ['-m', 'venv', '--without-pip', join(dir, name)]);
  await writeFile(join(dir, name, 'lib/python3.11/site-packages/its_library.py'), 'WORD = "found"\n');
  expect(await runRuntime(['execute', dir], {})).toMatchObject({
    code: 0,
    stdout: `${join(dir, name)} found\n`,
  });
  const before = (await readdir(dir)).toSorted();
  await runRuntime(['execute', dir], {});
  expect((await readdir(dir)).toSorted()).toEqual(before);
});

test('a virtual environment of another Python is told of, and not used', async () => {
  const dir = await botDirectory({
    'main.py': 'print("runs")\n',
    '.venv/pyvenv.cfg': 'version = 3.13.0\n',
  });
  const end = await runRuntime(['execute', dir], {});
  expect(end).toMatchObject({ code: 0, stdout: 'runs\n' });
  expect(end.stderr).toContain('.venv has no python3.11 and is not used');
});

test('--env-file: the environment beats it, it beats files, a later one beats an earlier one', async () => {
  const dir = await botDirectory({ ...echo, 'config.json': '{"from":"config.json"}' });
  const [a, b] = [join(dir, 'a.env'), join(dir, 'b.env')];
  await writeFile(a, `WORD='from a' # said\nBOT_CONFIG={"from":"a"}\n`);
  await writeFile(b, 'export WORD=b\n');
  const run = async (args: string[], env = {}) => (await runRuntime(['execute', dir, ...args], env)).stdout;
  expect(await run([])).toBe(' {"from":"config.json"}\n');
  expect(await run(['--env-file', a])).toBe('from a {"from":"a"}\n');
  expect(await run(['--env-file', a, '--env-file', b])).toBe('b {"from":"a"}\n');
  expect(await run(['--env-file', a], { WORD: 'environment' })).toBe('environment {"from":"a"}\n');
  // Node itself reads the flag first, whoever it is meant for, and ends with 9 where there is no such file.
  const missing = await runRuntime(['execute', dir, '--env-file', 'no.env'], {});
  expect(missing).toMatchObject({
    code: 9,
    stdout: '',
    stderr: expect.stringContaining('no.env: not found'),
  });
});

test('what files say that does not count is told, with file and line, and the bot runs', async () => {
  const yaml = `${echo['bot.yaml']}entrypoint: x\n`;
  const dir = await botDirectory({ ...echo, 'bot.yaml': yaml, 'a.env': 'WORD: secret\nWORD=a\n' });
  const file = join(dir, 'a.env');
  const { code, stdout, stderr } = await runRuntime(['execute', dir, '--env-file', file], {});
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'a {}\n' });
  const told = stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(told).toMatchObject([
    { level: 'warn', message: `${file}:1: expected NAME=value; the line sets nothing` },
    {
      level: 'warn',
      message: expect.stringMatching(/^bot\.yaml:4: the unknown field "entrypoint" .*mean entrypoints/),
    },
  ]);
  expect(stderr).not.toContain('secret');
  // Not to whoever looks at what it has left.
  expect((await runRuntime(['logs', dir], {})).stderr).toBe('');
});

test.each([
  ['execute DIR --query', (dir: string) => ['execute', dir, '--query', '/x']],
  ['query DIR', (dir: string) => ['query', dir, '/x']],
])('%s of a bot without a query program: the bot answers, and that is told', async (_, args) => {
  const answer = `echo '{"status":"ok","data":1}'; exec sleep 0`;
  const text = (more: string) => `runtime: command\nentrypoints:\n  bot: ${JSON.stringify(answer)}\n${more}`;
  const dir = await botDirectory({ 'bot.yaml': text('') });
  expect((await runRuntime(['execute', dir], {})).code).toBe(0);
  const { stderr } = await runRuntime(args(dir), {});
  expect(stderr).toContain('has no query program');
  await writeFile(join(dir, 'bot.yaml'), text('  query: "true"\n'));
  expect((await runRuntime(args(dir), {})).stderr).not.toContain('has no query program');
});

test('--config: JSON, or a file that holds it', async () => {
  const dir = await botDirectory({
    ...echo,
    'config.json': '{"n":1}',
    'other.json': '{"n":3}',
    'bad.json': '{',
  });
  const run = (config: string) => runRuntime(['execute', dir, '--config', config], {}, dir);
  expect((await run('{"n":2}')).stdout).toBe(' {"n":2}\n');
  expect((await run('other.json')).stdout).toBe(' {"n":3}\n');
  expect(await run('bad.json')).toMatchObject({ code: 78, stderr: expect.stringContaining('bad.json:1') });
  expect(await run('{"n":')).toMatchObject({
    code: 78,
    stderr: expect.stringMatching(/--config\S* is not JSON/),
  });
  expect(await run('none.json')).toMatchObject({ code: 78, stderr: expect.stringContaining('none.json') });
});

test('--query PATH k=v', async () => {
  const dir = await botDirectory({
    'bot.yaml': `runtime: command\nentrypoints:\n  bot: 'true'\n  query: printf '{"status":"ok","data":%s}' "$QUERY_PARAMS" > /query/result.json\n`,
  });
  const end = await runRuntime(['execute', dir, '--query', '/x', 'symbol=BTC', 'limit=10'], {});
  expect(end).toMatchObject({ code: 0, stdout: '{"status":"ok","data":{"symbol":"BTC","limit":"10"}}\n' });
  expect((await runRuntime(['execute', dir, 'symbol=BTC'], {})).code).toBe(64);
  expect((await runRuntime(['execute', dir, '--query', '/x', 'symbol'], {})).code).toBe(64);
});

test('a taken query port is replaced by a free one, which is printed and answers', async () => {
  const taken = createServer().listen(0);
  await once(taken, 'listening');
  onTestFinished(() => void taken.close());
  const { port } = taken.address() as AddressInfo;
  const dir = await botDirectory({
    'bot.yaml': `type: realtime\nruntime: command\nentrypoints:\n  bot: exec sleep 60\n  query: echo '{"status":"ok","data":1}'\n`,
  });
  const run = startRuntime(['execute', dir, '--query-port', String(port)], {});
  await expect.poll(run.stderr, { timeout: 20_000 }).toMatch(/query server is listening/);
  const [, free] =
    new RegExp(`port ${port} is taken; queries are answered on (\\d+)`).exec(run.stderr()) ?? [];
  const ask = () => fetch(`http://127.0.0.1:${free}/_runtime/info`).then((answer) => answer.status);
  await expect.poll(ask, { timeout: 20_000 }).toBe(200);
  // `runtime ask DIR` reads it, and whose it is.
  expect(await readFile(join(dir, '.runtime', 'port'), 'utf8')).toMatch(new RegExp(`^${free} \\d+\n$`));
  run.child.kill('SIGTERM');
  await run.finished;
});

test('--inspect: a Node bot under the debugger', async () => {
  const dir = await botDirectory({ 'main.js': 'setInterval(() => undefined, 1000);\n' });
  const run = startRuntime(['execute', dir, '--inspect'], {});
  await expect.poll(run.stderr, { timeout: 20_000 }).toContain('Debugger listening on ws://127.0.0.1:9229/');
  expect(await (await fetch('http://127.0.0.1:9229/json/list')).json()).toMatchObject([{ type: 'node' }]);
  run.child.kill('SIGTERM');
  await run.finished;
});

test('--debugpy PORT: a Python bot under the debugger', async () => {
  const dir = await botDirectory({ 'main.py': 'import time\nprint("runs", flush=True)\ntime.sleep(60)\n' });
  await promisify(execFile)('python3.11', ['-m', 'venv', '--without-pip', join(dir, '.venv')]);
  await writeFile(join(dir, '.venv/lib/python3.11/site-packages/debugpy.pth'), await debugpyFolder());
  const port = await freePort();
  const run = startRuntime(['execute', dir, '--debugpy', String(port)], {});
  await run.prints('runs');
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  const request = JSON.stringify({
    seq: 1,
    type: 'request',
    command: 'initialize',
    arguments: { adapterID: 'test' },
  });
  socket.write(`Content-Length: ${request.length}\r\n\r\n${request}`);
  let answer = '';
  socket.on('data', (chunk) => {
    answer += String(chunk);
  });
  await expect.poll(() => answer, { timeout: 20_000 }).toContain('supportsConfigurationDoneRequest');
  run.child.kill('SIGTERM');
  await run.finished;
});

test.each([
  [['--inspect'], '--inspect does not go with the kind command'],
  [['--debugpy', '5678'], '--debugpy does not go with the kind command'],
  [['--debugpy', 'x'], '--debugpy x: expected a whole number'],
  [['--inspect', '--debugpy', '5678'], 'a bot is one of them'],
])('%j: 64, and the bot does not run', async (args, message) => {
  const dir = await botDirectory(echo);
  expect(await runRuntime(['execute', dir, ...args], {})).toMatchObject({
    code: 64,
    stdout: '',
    stderr: expect.stringContaining(message),
  });
});

test.each(['--env-file', '--config', '--debugpy'])('%s needs a DIR', async (flag) => {
  const dir = await botDirectory({ x: '' });
  expect(await runRuntime(['execute', flag, 'x'], {}, dir)).toMatchObject({
    code: 64,
    stderr: expect.stringContaining(`${flag} needs a DIR`),
  });
});

test('a directory without a bot: 78, one message that names it and runtime init', async () => {
  const dir = await botDirectory({});
  const { code, stderr } = await runRuntime(['execute', dir], { LOG_FORMAT: 'text' });
  expect(code).toBe(78);
  expect(stderr).toBe(
    `runtime: there is no bot in ${dir}: no bot.yaml, no main.py, no index.js\nhint: \`runtime init ${dir}\` creates a bot to begin with.\n`,
  );
  expect(await readdir(dir)).toEqual([]);
});

/** The output as a person's terminal gets it, stdout and stderr. */
async function onTerminal(dir: string, env: Record<string, string>): Promise<string> {
  const { stdout } = await promisify(execFile)(
    'script',
    ['-qec', `${executable} execute ${dir}`, '/dev/null'],
    {
      env: { PATH: process.env.PATH, TERM: 'xterm', ...env },
    },
  );
  return stdout;
}

test('on a terminal it tells what runs, where the state lies and how it ended, in colour; NO_COLOR; a pipe gets neither', async () => {
  const dir = await botDirectory({ ...echo });
  const coloured = await onTerminal(dir, {});
  expect(coloured).toContain('running my-bot (command, scheduled)');
  expect(coloured).toContain(`its state is in ${dir}/.runtime/state`);
  expect(coloured).toContain(`runtime state ls ${dir}`);
  expect(coloured).toMatch(/ended with 0 after [\d.]+ s; its state is saved/);
  expect(coloured).toContain('\x1b[2m');
  const plain = await onTerminal(dir, { NO_COLOR: '1' });
  expect(plain).toContain('running my-bot');
  expect(plain).not.toContain('\x1b');
  expect(await runRuntime(['execute', dir], {})).toMatchObject({ code: 0, stderr: '' });
});
