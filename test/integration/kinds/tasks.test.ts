import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, inject, test } from 'vitest';
import { zip } from '../../support/files/archives.ts';
import { temporaryDirectory } from '../../support/files/temporary.ts';
import { newContainer, runRuntime, startRuntime } from '../../support/process/executable.ts';
import { minioClient, minioEnv } from '../../support/store/minio.ts';
import { testBucket } from '../../support/store/testBucket.ts';

interface Bot {
  readonly runtime: string;
  readonly bot: string;
  readonly query?: string;
  readonly task?: unknown;
  readonly wrap?: unknown;
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
}

/** One life of the bot in a directory of its own. */
async function life({ runtime, bot, query, task, wrap, files = {}, env = {} }: Bot) {
  const dir = join(await temporaryDirectory(), 'b');
  // JSON is YAML.
  const settings = JSON.stringify({ name: 'b', runtime, entrypoints: { bot, query }, task, wrap });
  for (const [name, content] of Object.entries({ 'bot.yaml': settings, ...files })) {
    await mkdir(dirname(join(dir, name)), { recursive: true });
    await writeFile(join(dir, name), content);
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
  const wrap = ['env', 'GREETING=hello', 'env', 'NUMBER=7'];
  const bot = { runtime: 'python3.11', bot: 'main.py', query: 'q.py', wrap };
  const source = 'import os\nprint(os.environ["GREETING"], os.environ["NUMBER"])\n';
  expect(await life({ ...bot, files: { 'main.py': source } })).toMatchObject({
    code: 0,
    stdout: 'hello 7\n',
  });
  const answer =
    'import json, os\njson.dump({"status": "ok", "data": os.environ["NUMBER"]}, open("/query/result.json", "w"))\n';
  const { dir } = await life({ ...bot, files: { 'main.py': source, 'q.py': answer } });
  expect((await runRuntime(['execute', dir, '--query', '/x'], {})).stdout).toBe(
    '{"status": "ok", "data": "7"}\n',
  );
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

describe('artifacts in a bucket', () => {
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  const script = 'cat {data.path} > {report.path}; cat {part.path}; sleep $SLEEP; exit $CODE';

  /** A bot with its code, one input and one output in MinIO. */
  async function deployed(more: Record<string, string> = {}, digest = sha256('rows\n')) {
    const client = minioClient(inject('minio'));
    const bucket = testBucket('code');
    await client.makeBucket(bucket);
    const id = `artifacts-${randomUUID()}`;
    await client.putObject(bucket, `${id}/code.zip`, zip([{ name: 'part.txt', data: 'code\n' }]));
    await client.putObject(bucket, `${id}/data.csv`, 'rows\n');
    const task = {
      inputs: [
        { id: 'data', key: `${id}/data.csv`, sha256: digest },
        { id: 'part', path: 'part.txt' },
      ],
      outputs: [{ id: 'report', path: 'report.txt', key: 'daily/report.txt' }],
    };
    const env = {
      ...minioEnv(inject('minio')),
      MINIO_CODE_BUCKET: bucket,
      BOT_ID: id,
      RUNTIME: 'command',
      ENTRYPOINT: script,
      CODE_FILE: `${id}/code.zip`,
      TASK: JSON.stringify(task),
      SLEEP: '0',
      CODE: '0',
      ...more,
    };
    const output = async () => {
      try {
        return await text(await client.getObject('bot-state', `${id}/outputs/daily/report.txt`));
      } catch (error) {
        return (error as { code?: string }).code;
      }
    };
    return { env, output, remove: () => client.removeObject(bucket, `${id}/data.csv`) };
  }

  test.each(['0', '1.5'])('inputs are brought and outputs saved, by a life of %s s', async (SLEEP) => {
    const { env, output } = await deployed({ SLEEP });
    const container = await newContainer();
    expect(await runRuntime(['execute'], { ...env, ...container.env })).toMatchObject({
      code: 0,
      stdout: 'code\n',
    });
    expect(await output()).toBe('rows\n');
  });

  test.each(['0', '1.5'])('a bot that fails after %s s leaves nothing', async (SLEEP) => {
    const { env, output } = await deployed({ SLEEP, CODE: '3' });
    const container = await newContainer();
    expect(await runRuntime(['execute'], { ...env, ...container.env })).toMatchObject({
      code: 3,
      stdout: 'code\n',
    });
    expect(await output()).toBe('NoSuchKey');
  });

  test('an input that is damaged or gone is refused before anything runs', async () => {
    const damaged = await deployed({}, sha256('other'));
    const container = await newContainer();
    expect(await runRuntime(['execute'], { ...damaged.env, ...container.env })).toMatchObject({
      code: 65,
      stdout: '',
      stderr: expect.stringContaining('the input data: '),
    });
    const gone = await deployed();
    await gone.remove();
    expect(await runRuntime(['execute'], { ...gone.env, ...(await newContainer()).env })).toMatchObject({
      code: 66,
      stdout: '',
      stderr: expect.stringContaining('the input data: '),
    });
  });

  test('an output that cannot be saved ends the bot with 74', async () => {
    const { env } = await deployed({ ENTRYPOINT: 'ln -s /etc/hostname {report.path}' });
    const end = await runRuntime(['execute'], { ...env, ...(await newContainer()).env });
    expect(end).toMatchObject({ code: 74, stderr: expect.stringContaining('the output report: ') });
  });

  test.each([
    ['0', 'rows\n'],
    ['3', 'NoSuchKey'],
  ])('with sidecars the one that saves does it, after an end with %s', async (CODE, saved) => {
    const { env, output } = await deployed({ CODE });
    const container = await newContainer();
    const pod = { ...env, ...container.env };
    expect((await runRuntime(['daemon', 'init'], pod)).code).toBe(0);
    const sidecar = startRuntime(['daemon', 'sync'], pod);
    await expect.poll(sidecar.stderr, { timeout: 20_000 }).toContain('saving the state');
    expect((await runRuntime(['execute', '--skip-sync'], pod)).code).toBe(Number(CODE));
    expect(await output()).toBe('NoSuchKey');
    sidecar.child.kill('SIGTERM');
    expect((await sidecar.finished).code).toBe(0);
    expect(await output()).toBe(saved);
  });

  test('with bot.yaml: an input that is not there is named, one of a directory’s own store is brought', async () => {
    const never = { inputs: [{ id: 'data', path: 'never.txt' }] };
    const end = await life({ runtime: 'command', bot: 'echo ran {data.path}', task: never });
    expect(end).toMatchObject({ code: 66, stdout: '' });
    expect(end.stderr).toContain('the input data is not there: never.txt');
    const files = { '.runtime/store/custom-bots/k/data.csv': 'rows\n' };
    const task = {
      inputs: [{ id: 'data', key: 'k/data.csv' }],
      outputs: [{ id: 'out', path: 'out.txt', key: 'out.txt' }],
    };
    const own = await life({ runtime: 'command', bot: 'tee {out.path} < {data.path}', task, files });
    expect(own).toMatchObject({ code: 0, stdout: 'rows\n' });
    expect(await readFile(join(own.dir, '.runtime/store/bot-state/b/outputs/out.txt'), 'utf8')).toBe(
      'rows\n',
    );
  });
});
