import { execFileSync } from 'node:child_process';
import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nodejs20 } from '../../../../src/bot/kinds/node/nodejs20.ts';
import { temporaryDirectory } from '../../../support/files/temporary.ts';
import { kindRequest } from '../../../support/process/kindRequest.ts';
import { type LaunchOptions, run } from '../../../support/process/launch.ts';

const bots = join(import.meta.dirname, '../../../fixtures/bots/node');

/** Away from this repository's own package.json; copied in after the interpreter has started. */
async function runBot(entrypoint: string, options?: LaunchOptions) {
  const code = await temporaryDirectory();
  const beforeGo = () => cp(bots, code, { recursive: true });
  return await run(nodejs20.launch(kindRequest(code, entrypoint)), { beforeGo, ...options });
}

async function runSource(name: string, source: string) {
  const code = await temporaryDirectory();
  await writeFile(join(code, name), source);
  return await run(nodejs20.launch(kindRequest(code, name)));
}

const onReady: LaunchOptions = {
  onOutput: (child, stdout) => {
    if (stdout === 'ready\n') child.kill('SIGTERM');
  },
};

test('main gets the id, the configuration, and the task with absolute paths', async () => {
  const folder = await temporaryDirectory();
  await cp(bots, folder, { recursive: true });
  const { stdout } = await run(nodejs20.launch(kindRequest(folder, 'named.mjs')));
  const prices = { id: 'prices-csv', path: join(folder, 'data/prices.csv') };
  const report = { id: 'report', path: join(folder, 'out/report.txt') };
  expect(JSON.parse(stdout)).toEqual({
    botId: 'bot-1',
    config: { pair: 'BTC/USD' },
    task: { id: 'bot-1', name: 'nightly', inputs: [prices], outputs: [report] },
    inputs: { 'prices-csv': prices },
    outputs: { report },
    signal: false,
    argv: [join(folder, 'named.mjs')],
    cwd: folder,
  });
});

test.each([
  ['default.mjs', 'default bot-1'],
  ['moduleExports.cjs', 'module.exports bot-1 false'],
  ['exportsMain.cjs', 'exports.main bot-1'],
  ['objectMain.js', 'object bot-1'],
  ['typeless.js', 'typeless bot-1 typeless.js'],
  ['guard.cjs', 'guard bot-1'],
  ['guard.mjs', 'guard bot-1 true'],
])('%s: its main is called once', async (entrypoint, line) => {
  expect(await runBot(entrypoint)).toMatchObject({ code: 0, stdout: `${line}\n`, stderr: '' });
});

test('a CommonJS script is the main module, with the globals of a script', async () => {
  expect(await runBot('guardScript.cjs')).toMatchObject({ stdout: 'script 2 undefined undefined object\n' });
});

test.each([
  ['script.mjs', /^script \/.*\n$/],
  ['class.mjs', /^script with a class\n$/],
])('%s: without main, it runs as a script', async (entrypoint, output) => {
  expect((await runBot(entrypoint)).stdout).toMatch(output);
});

const script = "if (require.main === module) console.log('ran', process.argv.length);";
test.each([
  [
    'the word import in a template literal',
    `const t = \`\nimport things from 'here'\nexport default 1\n\`;\n${script}`,
  ],
  ['the word export in a comment', `/*\nexport const x = 1\n*/\n${script}`],
  ['a main that is commented out', `// module.exports = { main };\n/*\nexports.main = 1;\n*/\n${script}`],
  [
    'an app that its guard starts',
    `const app = () => console.log('called');\nmodule.exports = app;\n${script}`,
  ],
])('a CommonJS script with %s is the main module', async (_what, source) => {
  expect(await runSource('bot.js', source)).toMatchObject({ code: 0, stdout: 'ran 2\n', stderr: '' });
});

test.each([
  ["exports.main = () => console.log('called'); if (!module.parent) exports.main();"],
  ["exports.main = () => console.log('called'); if (process.argv[1] === __filename) exports.main();"],
  ["const file = require.main.filename; exports.main = () => console.log(file === __filename && 'called');"],
  [
    "const file = require.main.filename; exports.main = () => console.log(file === __filename && 'called');" +
      'if (require.main === module) exports.main();',
  ],
])('main is called once, and its guard stays shut: %s', async (source) => {
  expect(await runSource('bot.js', source)).toMatchObject({ code: 0, stdout: 'called\n', stderr: '' });
});

test('a guard that stays shut for a main that is not a function is an error, not silence', async () => {
  const { code, stderr } = await runSource('bot.js', `exports.main = 7; ${script}`);
  expect({ code, stderr }).toEqual({ code: 78, stderr: expect.stringContaining('is not a function') });
});

test('a stack trace shows the bot and Node, as without us, and process.argv is the same', async () => {
  const source = `const deep = (n) => (n > 0 ? deep(n - 1) : new Error('boom').stack);
console.log(JSON.stringify([process.argv, process.execArgv, Object.is(require.main, module), module.id, deep(0)]));
module.exports = { main() { console.log(JSON.stringify(deep(0))); } };`;
  const code = await temporaryDirectory();
  await writeFile(join(code, 'bot.js'), source);
  const plain = execFileSync('node', [join(code, 'bot.js')], {
    encoding: 'utf8',
    env: { PATH: '/usr/bin:/bin' },
  });
  const { stdout } = await run(nodejs20.launch(kindRequest(code, 'bot.js')));
  const [loading, calling] = stdout.split('\n');
  const stack = (text = '') => (JSON.parse(text).at(-1) as string).split('\n');
  // The last line names the part of Node that begins with a file.
  expect(stack(loading).slice(0, -1)).toEqual(stack(plain).slice(0, -1));
  expect(stack(loading).at(-1)).toMatch(/^ {4}at .*\(node:internal\//);
  expect(JSON.parse(loading ?? '').slice(0, -1)).toEqual(JSON.parse(plain).slice(0, -1));
  const [, ...frames] = (JSON.parse(calling ?? '') as string).split('\n');
  expect(frames[1]).toContain(`at main (${code}/bot.js:3:`);
  expect(frames[2]).toMatch(/^ {4}at call \(runtime:launcher:\d+:\d+\)$/);
});

test('nextTick and promises of a script run in the order in which Node runs them', async () => {
  const source =
    "Promise.resolve().then(() => console.log('promise')); process.nextTick(() => console.log('tick'));";
  expect((await runSource('bot.js', source)).stdout).toBe('tick\npromise\n');
});

test('the words of the task are behind the file in process.argv, placeholders filled in', async () => {
  const code = await temporaryDirectory();
  await writeFile(join(code, 'bot.cjs'), 'console.log(JSON.stringify(process.argv.slice(2)))');
  const request = kindRequest(code, 'bot.cjs');
  const task = { ...request.task, args: ['--in', '{prices-csv.path}', '{x}'] };
  expect((await run(nodejs20.launch({ ...request, task }))).stdout).toBe(
    `${JSON.stringify(['--in', join(code, 'data/prices.csv'), '{x}'])}\n`,
  );
});

test('package.json decides what a .js file is', async () => {
  const code = await temporaryDirectory();
  await writeFile(join(code, 'package.json'), '{"type":"module"}');
  await writeFile(
    join(code, 'bot.js'),
    'console.log(typeof module, typeof require, import.meta.url.slice(0, 4))',
  );
  const { stdout } = await run(nodejs20.launch(kindRequest(code, 'bot.js')));
  expect(stdout).toBe('undefined undefined file\n');
});

test('an interpreter whose supervisor has gone ends without a word', async () => {
  const result = await run(nodejs20.launch(kindRequest(bots, 'bot.js')), { go: false });
  expect(result).toMatchObject({ code: 143, stdout: '', stderr: '' });
});

test('an exception is a traceback and exit 1, and exit handlers run', async () => {
  const { code, stdout, stderr } = await runBot('throws.cjs');
  expect({ code, stdout }).toEqual({ code: 1, stdout: 'at exit\n' });
  expect(stderr).toContain('Error: no such pair\n    at exports.main');
});

test('a rejected main is a traceback and exit 1, whatever still runs', async () => {
  const { code, stderr } = await runBot('rejects.mjs');
  expect(code).toBe(1);
  expect(stderr).toContain('Error: no such pair\n    at main');
});

test.each([
  ['sigterm.mjs', 143, 'ready\nfinished\nat exit 143\n'],
  ['sigtermAbort.mjs', 143, 'ready\nat exit 143\n'],
  ['sigtermWaits.mjs', 143, 'ready\nstopped\nat exit 143\n'],
  ['sigtermLater.cjs', 143, 'ready\nclosed\nat exit 143\n'],
  ['sigtermDeaf.cjs', 143, 'ready\nat exit 143\n'],
  ['sigtermOwn.cjs', 5, 'ready\nown handler\n'],
])(
  'SIGTERM to %s ends it in %d: the signal aborts and exit handlers run',
  async (entrypoint, code, output) => {
    expect(await runBot(entrypoint, onReady)).toMatchObject({ code, stdout: output, stderr: '' });
  },
);
