import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { python311 } from '../../../../src/bot/kinds/python/python311.ts';
import { pythonCode } from '../../../../src/bot/kinds/python/pythonCode.ts';
import { pythonFunction } from '../../../../src/bot/kinds/python/pythonFunction.ts';
import { temporaryDirectory } from '../../../support/files/temporary.ts';
import { kindRequest } from '../../../support/process/kindRequest.ts';
import { type LaunchOptions, run } from '../../../support/process/launch.ts';

const bots = join(import.meta.dirname, '../../../fixtures/bots/python');
const runBot = (entrypoint: string, options?: LaunchOptions) =>
  run(python311.launch(kindRequest(bots, entrypoint)), options);
const onReady: LaunchOptions = {
  onOutput: (child, stdout) => {
    if (stdout === 'ready\n') child.kill('SIGTERM');
  },
};

test('main gets its arguments by name, in any order', async () => {
  expect(await runBot('byName.py')).toMatchObject({ code: 0, stdout: 'bot-1 BTC/USD\n', stderr: '' });
});

test('main can ask for everything there is, in every style of parameter', async () => {
  const { stdout } = await runBot('everyParameter.py');
  expect(JSON.parse(stdout)).toEqual({
    bot_id: 'bot-1',
    id: 'bot-1',
    config: { pair: 'BTC/USD' },
    task: ['nightly', ['prices-csv'], ['report']],
    prices: join(bots, 'data/prices.csv'),
    report: ['report', join(bots, 'out/report.txt')],
    args: [],
    limit: 7,
    rest: [],
  });
});

test.each([
  '{"n": 1.0, "big": 123456789012345678901234567890}',
  '{"t": [true, null, "\\ud83d\\ude00 \\/ \\u00e9"]}',
  ' [] ',
])('the configuration is what json.loads makes of it: %s', async (text) => {
  const code = await temporaryDirectory();
  await writeFile(
    join(code, 'bot.py'),
    'import json, os\ndef main(config): print(repr(config) == repr(json.loads(os.environ["BOT_CONFIG"])))\n',
  );
  const result = await run(python311.launch(kindRequest(code, 'bot.py')), { env: { BOT_CONFIG: text } });
  expect(result).toMatchObject({ code: 0, stdout: 'True\n', stderr: '' });
});

test('a parameter that nothing fills is refused on the control channel before any bot code runs', async () => {
  const { code, stdout, control } = await runBot('missing.py');
  expect({ code, stdout }).toEqual({ code: 78, stdout: '' });
  expect(JSON.parse(control)).toMatchObject({
    code: 'config',
    message: expect.stringContaining('"exchange"'),
  });
});

test('where only the loaded module can tell, a parameter that nothing fills is refused before main runs', async () => {
  const { code, stdout, stderr, control } = await runBot('missingLater.py');
  expect({ code, stdout, control }).toEqual({ code: 78, stdout: '', control: '' });
  expect(stderr).toContain('"exchange"');
});

test('a module without main runs once as a script', async () => {
  const { code, stdout } = await runBot('script.py');
  const search = [bots, join(bots, 'vendor'), bots].map((path) => `'${path}'`).join(', ');
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: `['script.py'] ${join(bots, 'script.py')} [${search}] ${bots} ${bots}/vendor:${bots}\n`,
  });
});

test('main behind a guard runs once, in a module of its own name', async () => {
  expect(await runBot('guard.py')).toMatchObject({ code: 0, stdout: 'bot-1 guard True\n' });
});

test('main that only exists inside the guard is a script', async () => {
  expect(await runBot('guardOnly.py')).toMatchObject({ code: 0, stdout: 'script __main__\n' });
});

test('main bound in an except branch is called, keywords getting everything', async () => {
  const { stdout } = await runBot('conditional.py');
  expect(stdout).toBe("['bot_id', 'config', 'prices_csv', 'report', 'task']\n");
});

const say = 'print(__name__)';
test.each([
  [`def main(): ${say}`, 'bot'],
  [`import os.path as main\n${say}`, 'bot'],
  [`from library import start as main`, 'bot'],
  [`main = lambda: ${say}`, 'bot'],
  [`main: object = lambda: ${say}`, 'bot'],
  [`main, other = lambda: ${say}, 1`, 'bot'],
  [`if 1 < 2:\n  def main(): ${say}`, 'bot'],
  [`with open("/dev/null"):\n  def main(): ${say}`, 'bot'],
  [`if __name__ != "__main__":\n  def main(): ${say}`, 'bot'],
  [`if __name__ == "__main__":\n  pass\nelse:\n  def main(): ${say}`, 'bot'],
  [`if "__main__" == __name__:\n  def main(): pass\n  ${say}`, '__main__'],
  [`class Bot:\n  def main(self): pass\n${say}`, '__main__'],
  [`def run():\n  main = 1\n${say}`, '__main__'],
  [`main: object\n${say}`, '__main__'],
  [`"main"\n${say}`, '__main__'],
])('whether there is a main to call is told from the source: %j', async (source, name) => {
  const code = await temporaryDirectory();
  await writeFile(join(code, 'bot.py'), source);
  await writeFile(join(code, 'library.py'), 'def start(): print("bot")');
  const result = await run(python311.launch(kindRequest(code, 'bot.py')));
  expect(result).toMatchObject({ stdout: `${name}\n`, stderr: '' });
});

test('an asynchronous main is awaited', async () => {
  expect(await runBot('asynchronous.py')).toMatchObject({ code: 0, stdout: 'awaited bot-1\n' });
});

test('an exception is a traceback of the bot alone, and exit 1', async () => {
  expect(await runBot('raises.py')).toMatchObject({
    code: 1,
    stdout: 'at exit\n',
    stderr: [
      'Traceback (most recent call last):',
      `  File "${join(bots, 'raises.py')}", line 7, in main`,
      '    raise ValueError("no such pair")',
      'ValueError: no such pair\n',
    ].join('\n'),
  });
});

test('a syntax error is shown as Python shows it', async () => {
  const { code, stderr } = await runBot('broken.py');
  expect(code).toBe(1);
  expect(stderr.split('\n')[0]).toBe(`  File "${join(bots, 'broken.py')}", line 1`);
});

test.each([
  ['7', 7, ''],
  ['"no money"', 1, 'no money\n'],
  ['null', 0, ''],
])('sys.exit(%s) is honoured', async (value, code, stderr) => {
  const result = await runBot('exits.py', { env: { BOT_CONFIG: `{"exit":${value}}` } });
  expect(result).toMatchObject({ code, stderr });
});

test('SIGTERM lets finally blocks and exit handlers run, and ends in 143', async () => {
  expect(await runBot('sigterm.py', onReady)).toMatchObject({
    code: 143,
    stdout: 'ready\nfinally\nat exit\n',
  });
});

test('SIGTERM lets the finally blocks of coroutines run', async () => {
  expect(await runBot('sigtermAsync.py', onReady)).toMatchObject({ code: 143, stdout: 'ready\nfinally\n' });
});

test('SIGTERM ends a bot whose main has returned and whose threads go on', async () => {
  expect(await runBot('threads.py', onReady)).toMatchObject({
    code: 143,
    stdout: 'ready\nat exit\n',
    stderr: '',
  });
});

test('SIGTERM ends a bot whose main and threads go on', async () => {
  expect(await runBot('threadBesideMain.py', onReady)).toMatchObject({
    code: 143,
    stdout: 'ready\nfinally\nat exit\n',
    stderr: '',
  });
});

test('threads of a pool that nobody shut down end with the bot', async () => {
  expect(await runBot('pool.py')).toMatchObject({ code: 0, stdout: '4\n', stderr: '' });
});

test('stdout reaches the logs line by line', async () => {
  expect(await runBot('buffered.py', onReady)).toMatchObject({ code: 143, stdout: 'ready\n' });
});

test.each(['fork', 'spawn'])('functions can be sent to processes started by %s', async (method) => {
  const result = await runBot('sharing.py', { env: { BOT_CONFIG: `{"method":"${method}"}` } });
  expect(result).toMatchObject({ code: 0, stdout: '[2, 4]\n' });
});

test('bot code does not see the control channel', async () => {
  const { stdout } = await runBot('descriptors.py');
  expect(stdout).not.toContain("'3'");
});

test('a file with the name of a loaded module does not take its place', async () => {
  expect(await runBot('shadow/abc.py')).toMatchObject({ code: 0, stdout: 'ABC abc_bot\n' });
});

test('the interpreter starts before the code is there, and nothing of earlier code is loaded', async () => {
  const code = await temporaryDirectory();
  await writeFile(join(code, 'sitecustomize.py'), 'print("stale")');
  await writeFile(join(code, '_json.py'), 'print("stale")');
  const result = await run(python311.launch(kindRequest(code, 'byName.py')), {
    beforeGo: () => cp(join(bots, 'byName.py'), join(code, 'byName.py')),
  });
  expect(result).toMatchObject({ code: 0, stdout: 'bot-1 BTC/USD\n', stderr: '' });
});

test("modules in vendor are found, the bot's folder first", async () => {
  const code = await temporaryDirectory();
  await mkdir(join(code, 'vendor'));
  await mkdir(join(code, 'src'));
  await writeFile(join(code, 'vendor/library.py'), 'name = "vendored"');
  await writeFile(join(code, 'vendor/own.py'), 'name = "vendored"');
  await writeFile(join(code, 'src/own.py'), 'name = "own"');
  await writeFile(join(code, 'src/bot.py'), 'import library, own\nprint(library.name, own.name)');
  expect(await run(python311.launch(kindRequest(code, 'src/bot.py')))).toMatchObject({
    stdout: 'vendored own\n',
  });
});

test('an interpreter whose supervisor has gone ends without a word', async () => {
  const result = await run(python311.launch(kindRequest(bots, 'byName.py')), { go: false });
  expect(result).toMatchObject({ code: 143, stdout: '', stderr: '' });
});

test('python-function calls the function with everything', async () => {
  const { code, stdout } = await run(pythonFunction.launch(kindRequest(bots, 'package.work:Job.run')));
  expect(code).toBe(0);
  expect(stdout).toContain(`'bot_id': 'bot-1'`);
  expect(stdout).toContain(`'report': '${join(bots, 'out/report.txt')}'`);
});

test.each(['package.absent:run', 'package.work:absent'])('python-function %s: 127', async (entrypoint) => {
  const { code, stderr } = await run(pythonFunction.launch(kindRequest(bots, entrypoint)));
  expect(code).toBe(127);
  expect(stderr).toContain('absent');
});

test('python-function refuses what names no function', async () => {
  await expect(pythonFunction.launch(kindRequest(bots, 'package/work.py'))).rejects.toThrow(
    'does not name a function',
  );
});

test('python-code runs the text untouched', async () => {
  const text = 'name = "é😀"\nprint(f"{name} $HOME {{}}", __name__)';
  const result = await run(pythonCode.launch(kindRequest(bots, text)));
  expect(result).toMatchObject({ code: 0, stdout: 'é😀 $HOME {} __main__\n' });
});
