import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../../support/files/temporary.ts';
import { runRuntime } from '../../support/process/executable.ts';

interface Bot {
  readonly runtime: string;
  readonly bot: string;
  readonly task?: unknown;
  readonly wrap?: unknown;
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
}

/** One life of the bot in a directory of its own. */
async function life({ runtime, bot, task, wrap, files = {}, env = {} }: Bot) {
  const dir = join(await temporaryDirectory(), 'b');
  // JSON is YAML.
  const settings = JSON.stringify({ name: 'b', runtime, entrypoints: { bot }, task, wrap });
  for (const [name, text] of Object.entries({ 'bot.yaml': settings, ...files })) {
    await mkdir(dirname(join(dir, name)), { recursive: true });
    await writeFile(join(dir, name), text);
  }
  return { dir, ...(await runRuntime(['execute', dir], env)) };
}

test('a broken manifest leaves every other kind alone, and is reported', async () => {
  const kinds = await temporaryDirectory();
  await writeFile(join(kinds, 'bad.yaml'), 'id: [\n');
  const env = { KINDS_PATH: kinds };
  const listed = await runRuntime(['kinds'], env);
  expect(listed).toMatchObject({ code: 0, stderr: expect.stringMatching(/^.*bad\.yaml:1: .+\n$/) });
  expect(listed.stdout.split('\n')).toHaveLength(11);
  const other = await life({ runtime: 'command', bot: 'echo ran', env });
  expect(other).toMatchObject({ code: 0, stdout: 'ran\n' });
  expect(other.stderr.split('bad.yaml:1: ')).toHaveLength(2);
  const own = await life({ runtime: 'bad', bot: 'echo ran', env });
  expect(own).toMatchObject({ code: 78, stdout: '', stderr: expect.stringContaining('bad.yaml:1: ') });
});

test('words before the command, for the bot and for its query program', async () => {
  const bot = { runtime: 'python3.11', bot: 'main.py', wrap: ['env', 'GREETING=hello', 'nice', '-n', 7] };
  const source = 'import os\nprint(os.environ["GREETING"], os.nice(0))\n';
  expect(await life({ ...bot, files: { 'main.py': source } })).toMatchObject({
    code: 0,
    stdout: 'hello 7\n',
  });
  const absent = await life({ ...bot, wrap: ['no-such-word'], files: { 'main.py': source } });
  expect(absent).toMatchObject({ code: 127, stderr: expect.stringContaining('no-such-word') });
  expect(await life({ ...bot, wrap: {} })).toMatchObject({
    code: 78,
    stderr: expect.stringContaining('wrap is not a list'),
  });
});

test('values and the id of the task are words of a command', async () => {
  const inputs = [
    { id: 'who', value: `a 'b' $c` },
    { id: 'many', value: [1, true] },
  ];
  const bot = 'printf "<%s>" {who.value} {many.value} {who.id} {task.id}';
  expect(await life({ runtime: 'command', bot, task: { inputs } })).toMatchObject({
    code: 0,
    stdout: `<a 'b' $c><[1,true]><who><b>`,
  });
});

test.each([
  ['python-function', 'mymod:x', 127, 'mymod:x is not a function\n'],
  ['python-function', 'mymod.x', 127, 'mymod.x is not a function\n'],
  ['python-function', 'mymod:absent', 127, 'mymod has no absent for the entrypoint mymod:absent\n'],
  ['python-function', 'absent.fn', 127, 'no module absent for the entrypoint absent.fn\n'],
  [
    'python-function',
    'mymod:miss',
    78,
    'mymod:miss cannot be called: nothing fills its parameters "foo" and "bar"; there are: data, bot_id, config, task\n',
  ],
  [
    'python-function',
    'builtins:max',
    78,
    'builtins:max cannot be called: it does not say what its parameters are\n',
  ],
])('%s %s: %d and one line', async (runtime, bot, code, line) => {
  const files = { 'mymod.py': 'x = 3\ndef miss(data, foo, bar): pass\n', 'here.txt': '' };
  const task = { inputs: [{ id: 'data', path: 'here.txt' }] };
  const end = await life({ runtime, bot, task, files });
  expect(end).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(line) });
  expect(end.stderr).not.toContain('Traceback');
});

test('all parameters of main that nothing fills are named before any bot code runs', async () => {
  const files = { 'main.py': 'print("ran")\ndef main(config, foo, *, bar, baz=1): pass\n' };
  const end = await life({ runtime: 'python3.11', bot: 'main.py', files, env: { LOG_FORMAT: 'text' } });
  expect(end).toMatchObject({ code: 78, stdout: '' });
  expect(end.stderr).toContain(
    'main.py: main cannot be called: nothing fills its parameters "foo" and "bar"; there are: bot_id, config, task',
  );
});

test('a function named with a dot runs, in a package as well', async () => {
  const files = {
    'pkg/__init__.py': '',
    'pkg/mod.py': 'class C:\n  @staticmethod\n  def f(bot_id): print("ran", bot_id)\n',
  };
  expect(await life({ runtime: 'python-function', bot: 'pkg.mod.C.f', files })).toMatchObject({
    code: 0,
    stdout: 'ran b\n',
  });
});

test('a module that the function lacks is told as Python tells it', async () => {
  const files = { 'mymod.py': 'import not_there\ndef f(): pass\n' };
  const end = await life({ runtime: 'python-function', bot: 'mymod.f', files });
  expect(end).toMatchObject({ code: 1, stderr: expect.stringContaining("No module named 'not_there'") });
});

test('the task is a global of python-code, values and files in it', async () => {
  const task = {
    name: 'nightly',
    inputs: [{ id: 'who', value: { name: 'x' } }],
    outputs: [{ id: 'out', path: 'out.txt' }],
  };
  const bot =
    'print(task.name, task.id, task.inputs[0].value["name"], task.inputs[0], str(task.outputs[0]).endswith("b/out.txt"))';
  expect(await life({ runtime: 'python-code', bot, task })).toMatchObject({
    code: 0,
    stdout: 'nightly b x {"name":"x"} True\n',
  });
});

test.each([
  ['python3.11', 's.py', 'import sys, json\nprint(json.dumps(sys.argv[1:]))\n'],
  ['nodejs20', 's.py', 'console.log(JSON.stringify(process.argv.slice(2)))'],
  ['command', 'python3 s.py "$@"', 'import sys, json\nprint(json.dumps(sys.argv[1:]))\n'],
  ['ghc96', 's.py', '#!/usr/bin/python3\nimport sys, json\nprint(json.dumps(sys.argv[1:]))\n'],
])('args are words for a script of %s, placeholders filled in', async (runtime, bot, source) => {
  const task = {
    inputs: [{ id: 'data', path: 'a b.txt' }],
    args: ['--in', '{data.path}', '--name={task.name}', '{x}', 7, ''],
  };
  const end = await life({ runtime, bot, task, files: { 's.py': source, 'a b.txt': '' } });
  expect(end).toMatchObject({ code: 0, stderr: '' });
  expect(JSON.parse(end.stdout)).toEqual(['--in', join(end.dir, 'a b.txt'), '--name=b', '{x}', '7', '']);
});

test('an unknown placeholder in args is refused, with the known ones', async () => {
  const end = await life({
    runtime: 'python3.11',
    bot: 's.py',
    task: { args: ['{data.path}'] },
    files: { 's.py': '' },
  });
  expect(end).toMatchObject({ code: 78, stderr: expect.stringContaining('unknown placeholder {data.path}') });
  expect(end.stderr).toContain('{task.name}, {task.id}');
});
