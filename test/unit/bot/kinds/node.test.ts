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
    task: { name: 'nightly', inputs: [prices], outputs: [report] },
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
