import { once } from 'node:events';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../../support/files/temporary.ts';
import { newContainer, runRuntime, startRuntime } from '../../support/process/executable.ts';

const examples = join(import.meta.dirname, '../../../examples');

async function botDirectory(files: Record<string, string>): Promise<string> {
  const dir = join(await temporaryDirectory(), 'my-bot');
  await mkdir(dir);
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text);
  return dir;
}

test.for(['python-counter', 'node-counter'])('the example %s goes on from its last run', async (name) => {
  const dir = join(await temporaryDirectory(), name);
  await cp(join(examples, name), dir, { recursive: true });
  const before = await readdir(dir);
  for (const run of [1, 2]) {
    expect(await runRuntime(['execute', dir], {})).toMatchObject({
      code: 0,
      stdout: `${name}: run number ${run}\n`,
    });
  }
  expect((await readdir(dir)).toSorted()).toEqual([...before, '.runtime'].toSorted());
  expect(await readdir(join(dir, '.runtime'))).toEqual(
    expect.arrayContaining(['exit.json', 'logs', 'state', 'store']),
  );
});

test('the older bot-config.yaml is read as well', async () => {
  const dir = await botDirectory({
    'bot-config.yaml': 'name: older\ntype: scheduled\nruntime: nodejs20\nentrypoints:\n  bot: index.js\n',
    'config.json': '{"symbol":"BTC"}',
    'index.js': 'module.exports = (id, config) => console.log(id, config.symbol);',
  });
  expect(await runRuntime(['execute', dir], {})).toMatchObject({ code: 0, stdout: 'older BTC\n' });
});

test('flags beat variables, and variables beat files', async () => {
  const dir = await botDirectory({
    'bot.yaml': 'name: file\nruntime: command\nentrypoints:\n  bot: echo $BOT_ID $BOT_CONFIG\n',
    'config.json': '{"from":"file"}',
  });
  expect((await runRuntime(['execute', dir], {})).stdout).toBe('file {"from":"file"}\n');
  expect((await runRuntime(['execute', dir], { BOT_ID: 'variable' })).stdout).toBe(
    'variable {"from":"file"}\n',
  );
  expect((await runRuntime(['execute', dir, '--bot-id', 'flag'], { BOT_ID: 'variable' })).stdout).toBe(
    'flag {"from":"file"}\n',
  );
});

test('a broken bot.yaml: 78, with file and line', async () => {
  const dir = await botDirectory({ 'bot.yaml': 'name: x\nruntime: [nope\n' });
  const end = await runRuntime(['execute', dir], {});
  expect(end.code).toBe(78);
  expect(end.stderr).toMatch(/bot\.yaml:\d/);
});

test('a directory that is not there: 66', async () => {
  expect((await runRuntime(['execute', '/no/such/bot'], {})).code).toBe(66);
});

test.each([[['--watch']], [['.', '--watch', '--query', '/x']], [['.', '--watch', '--query-server-only']]])(
  '%j is not a command line: 64',
  async (args) => {
    expect((await runRuntime(['execute', ...args], {})).code).toBe(64);
  },
);

test('--watch runs the bot again when its code changes, with its state', async () => {
  const program = (word: string) => `
const fs = require('node:fs');
const file = require('node:path').dirname(process.env.STATE_DIR) + '/n';
const n = fs.existsSync(file) ? Number(fs.readFileSync(file)) + 1 : 1;
fs.writeFileSync(file, String(n));
console.log('${word}', n);
setInterval(() => {}, 1000);
`;
  const dir = await botDirectory({
    'bot.yaml': 'runtime: nodejs20\nentrypoints:\n  bot: main.js\n',
    'main.js': program('first'),
  });
  const run = startRuntime(['execute', dir, '--watch'], {});
  await run.prints('first 1');
  await sleep(500);
  await writeFile(join(dir, 'main.js'), program('second'));
  await run.prints('second 2');
  run.child.kill('SIGTERM');
  expect((await run.finished).stdout).toBe('first 1\nsecond 2\n');
  expect(await readFile(join(dir, '.runtime/exit.json'), 'utf8')).toContain('"source"');
});

test('query, state and logs take the directory of a bot that has run', async () => {
  const dir = await botDirectory({
    'bot.yaml': [
      'name: other-name',
      'runtime: command',
      'entrypoints:',
      '  bot: mkdir -p $STATE_DIR; echo 7 > $STATE_DIR/runs; echo ran',
      `  query: printf '{"status":"ok","data":%d}' $(cat $STATE_DIR/runs) > /query/result.json`,
    ].join('\n'),
  });
  expect((await runRuntime(['state', 'ls', dir], {})).code).toBe(64);
  await runRuntime(['execute', dir], {});
  expect(await runRuntime(['query', dir, '/runs'], {})).toMatchObject({
    code: 0,
    stdout: '{"status":"ok","data":7}\n',
  });
  expect((await runRuntime(['state', 'show', dir], {})).stdout).toContain('.the0-state/runs');
  expect((await runRuntime(['logs', dir], {})).stdout).toMatch(/ stdout ran\n$/);
});

test('what was guessed is told to whoever runs the bot, and not to whoever looks at its logs', async () => {
  const dir = await botDirectory({ 'main.py': 'print("ran")\n' });
  expect((await runRuntime(['execute', dir], {})).stderr).toContain('running main.py as python3.11');
  expect(await runRuntime(['logs', dir], {})).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/ stdout ran\n$/),
    stderr: '',
  });
});

test("Python's bytecode lies in .runtime as well: nothing else of the directory is written", async () => {
  const dir = await botDirectory({
    'bot.yaml': 'runtime: python3.11\nentrypoints:\n  bot: main.py\n',
    'main.py': 'from helper import word\n\ndef main():\n    print(word)\n',
    'helper.py': 'word = "imported"\n',
  });
  expect(await runRuntime(['execute', dir], {})).toMatchObject({ code: 0, stdout: 'imported\n' });
  expect((await readdir(dir)).toSorted()).toEqual(['.runtime', 'bot.yaml', 'helper.py', 'main.py']);
  expect(await readdir(join(dir, '.runtime'))).toContain('pycache');
});

test('what the program of an ephemeral query writes is never saved, and exit.json stays', async () => {
  const dir = await botDirectory({
    'bot.yaml': [
      'runtime: command',
      'entrypoints:',
      '  bot: mkdir -p $STATE_DIR; touch $STATE_DIR/mine; ls $STATE_DIR',
      '  query: |',
      '    rm $STATE_DIR/mine && touch $STATE_DIR/dirty $STATE_PATH/dirty',
      `    printf '{"status":"ok"}' > /query/result.json`,
    ].join('\n'),
  });
  await runRuntime(['execute', dir], {});
  const record = await readFile(join(dir, '.runtime/exit.json'), 'utf8');
  expect(await runRuntime(['execute', dir, '--query', '/x'], {})).toMatchObject({
    code: 0,
    stdout: '{"status":"ok"}\n',
  });
  expect(await readFile(join(dir, '.runtime/exit.json'), 'utf8')).toBe(record);
  expect(await runRuntime(['execute', dir], {})).toMatchObject({ code: 0, stdout: 'mine\n' });
  expect((await runRuntime(['state', 'show', dir], {})).stdout).not.toContain('dirty');
  expect((await readdir(join(dir, '.runtime'))).filter((name) => name.startsWith('query-'))).toEqual([]);
});

test('an ephemeral query in a container answers from what is saved, and leaves nothing at STATE_PATH', async () => {
  const root = await temporaryDirectory();
  const container = {
    BOT_ID: 'b',
    RUNTIME: 'command',
    STORE_URL: `file://${root}/store`,
    CODE_PATH: join(root, 'code'),
    STATE_PATH: join(root, 'state'),
    LOGS_PATH: join(root, 'var/logs'),
    BOT_USER: 'none',
  };
  const ask = {
    QUERY_PATH: '/x',
    QUERY_ENTRYPOINT: 'n=$(cat $STATE_PATH/n || echo none); echo 9 > $STATE_PATH/n; ',
  };
  ask.QUERY_ENTRYPOINT += `printf '{"status":"ok","data":"%s"}' "$n" > /query/result.json`;
  const answer = (data: string) => `{"status":"ok","data":"${data}"}\n`;
  expect((await runRuntime(['execute'], { ...container, ...ask })).stdout).toBe(answer('none'));
  expect(await readdir(container.STATE_PATH)).toEqual([]);
  const run = { ...container, ENTRYPOINT: 'cat $STATE_PATH/n; echo 1 > $STATE_PATH/n' };
  expect((await runRuntime(['execute'], run)).stdout).toBe('');
  expect((await runRuntime(['execute'], { ...container, ...ask })).stdout).toBe(answer('1'));
  expect((await runRuntime(['execute'], run)).stdout).toBe('1\n');
});

test('a directory is for one at a time: the second is refused and disturbs nothing', async () => {
  const dir = await botDirectory({
    'bot.yaml': 'type: realtime\nruntime: command\nentrypoints:\n  bot: echo runs; exec sleep 60\n',
  });
  const first = startRuntime(['execute', dir], {});
  await first.prints('runs');
  expect(await runRuntime(['execute', dir], {})).toMatchObject({
    code: 77,
    stdout: '',
    stderr: expect.stringContaining(`the bot in ${dir} is already running`),
  });
  expect((await runRuntime(['execute', dir, '--watch'], {})).code).toBe(77);
  first.child.kill('SIGTERM');
  expect(await first.finished).toMatchObject({ code: 143, stderr: '' });
  const next = startRuntime(['execute', dir], {});
  await next.prints('runs');
  next.child.kill('SIGKILL');
  await next.finished;
  const last = startRuntime(['execute', dir], {});
  await last.prints('runs');
  last.child.kill('SIGTERM');
  expect((await last.finished).code).toBe(143);
});

test('--watch reads bot.yaml and config.json again, and waits where they are wrong', async () => {
  const settings = (program: string) => `runtime: command\nentrypoints:\n  bot: ${program}; exec sleep 60\n`;
  const dir = await botDirectory({ 'bot.yaml': settings('echo one $BOT_CONFIG'), 'config.json': '{"n":1}' });
  const run = startRuntime(['execute', dir, '--watch'], {});
  const change = async (file: string, text: string) => {
    await sleep(500);
    await writeFile(join(dir, file), text);
  };
  await run.prints('one {"n":1}');
  await change('config.json', '{"n":2}');
  await run.prints('one {"n":2}');
  await change('config.json', '{');
  await expect.poll(run.stderr, { timeout: 20_000 }).toContain('config.json:1:2 is not JSON');
  await change('config.json', '{"n":3}');
  await run.prints('one {"n":3}');
  await change('bot.yaml', settings('echo two'));
  await run.prints('two');
  run.child.kill('SIGTERM');
  expect((await run.finished).code).toBe(143);
});

test('--watch ends when another instance has taken over', async () => {
  const files = {
    'bot.yaml': 'name: twin\nruntime: command\nentrypoints:\n  bot: echo runs; exec sleep 60\n',
  };
  const [here, there] = [await botDirectory(files), await botDirectory(files)];
  const env = { STORE_URL: `file://${here}/.runtime/store`, SYNC_INTERVAL: '200ms' };
  const watched = startRuntime(['execute', here, '--watch'], env);
  await watched.prints('runs');
  const other = startRuntime(['execute', there], env);
  await other.prints('runs');
  expect((await watched.finished).code).toBe(75);
  other.child.kill('SIGTERM');
  expect((await other.finished).code).toBe(143);
});

test('in a container a query port that somebody has is waited for, after one warning', async () => {
  const holder = createServer().listen(0);
  await once(holder, 'listening');
  const { port } = holder.address() as AddressInfo;
  const { env, root } = await newContainer();
  await mkdir(join(root, 'bot'));
  const bot = { BOT_ID: 'b', BOT_TYPE: 'realtime', RUNTIME: 'command', STORE_URL: `file://${root}/store` };
  const programs = { ENTRYPOINT: 'echo runs; exec sleep 60', QUERY_ENTRYPOINT: 'exec sleep 60' };
  const run = startRuntime(['execute'], { ...env, ...bot, ...programs, QUERY_PORT: String(port) });
  await run.prints('runs');
  await expect.poll(run.stderr).toContain('cannot listen on port');
  await sleep(1200);
  holder.close();
  await expect.poll(run.stderr).toContain('query server is listening');
  run.child.kill('SIGTERM');
  const { stderr } = await run.finished;
  expect(stderr.split('cannot listen on port')).toHaveLength(2);
  expect(stderr).not.toContain('died');
});
