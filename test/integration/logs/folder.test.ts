import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../../support/files/temporary.ts';
import { runRuntime } from '../../support/process/executable.ts';

async function folder(entrypoint: string): Promise<string> {
  const dir = await temporaryDirectory();
  await writeFile(join(dir, 'bot.yaml'), `runtime: gcc13\nentrypoints:\n  bot: ${entrypoint}\n`);
  return dir;
}

const logs = (dir: string) => runRuntime(['logs', dir], {});

test('a folder whose start failed: why, instead of words about a store', async () => {
  const dir = await folder('bot');
  expect((await runRuntime(['execute', dir], {})).code).toBe(127);
  const { code, stderr } = await logs(dir);
  expect(code).toBe(66);
  expect(stderr).toContain('its last start failed with 127: entrypoint bot does not exist');
  expect(stderr).toContain(join(dir, '.runtime/exit.json'));
  expect(stderr).not.toContain('STORE_URL');
});

test('one that has printed nothing, and one of which nothing is known', async () => {
  const dir = await folder('bot');
  await writeFile(join(dir, 'bot'), '#!/bin/sh\nexit 3\n');
  expect((await runRuntime(['execute', dir], {})).code).toBe(3);
  expect((await logs(dir)).stderr).toContain('it has printed nothing; its last run ended with 3: ');
  await rm(join(dir, '.runtime/exit.json'));
  expect((await logs(dir)).stderr).toContain('No run of it has ended yet');
});

test('what a bot has written in the place of exit.json cannot act on a terminal', async () => {
  const dir = await folder('bot');
  expect((await runRuntime(['execute', dir], {})).code).toBe(127);
  const exitFile = join(dir, '.runtime/exit.json');
  const record = JSON.parse(await readFile(exitFile, 'utf8'));
  await writeFile(exitFile, JSON.stringify({ ...record, reason: 'red \u001b[31m' }));
  const { stderr } = await logs(dir);
  expect(stderr).toContain('red ');
  expect(stderr).not.toContain('\u001b');
});
