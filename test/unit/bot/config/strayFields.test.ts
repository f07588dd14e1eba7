import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { botDirectory } from '../../../../src/bot/config/botDirectory.ts';
import { botFields } from '../../../../src/bot/config/botFields.ts';
import { botSchema } from '../../../../src/host/bots/schema.ts';
import { temporaryDirectory } from '../../../support/files/temporary.ts';

async function warnings(text: string, file = 'bot.yaml'): Promise<readonly string[]> {
  const dir = await temporaryDirectory();
  await writeFile(join(dir, 'main.py'), '');
  await writeFile(join(dir, file), text);
  return (await botDirectory(dir, {})).warnings;
}

const good =
  'name: b\nversion: 1.0.0\nschedule: { cron: "0 9 * * *" }\nentrypoints: { bot: main.py }\nwrap: [nice]\n';

test('what a bot’s folder, a host or another tool reads is no slip', async () => {
  expect(await warnings(good)).toEqual([]);
  expect(await warnings('')).toEqual([]);
});

test.each([
  [
    'entrypoint: main.py\n',
    'bot.yaml:6: the unknown field "entrypoint" is left alone here, and a host refuses it; did you mean entrypoints?',
  ],
  [
    'Runtime: python3.11\n',
    'bot.yaml:6: the unknown field "Runtime" is left alone here, and a host refuses it; did you mean runtime?',
  ],
  ['zzzzzz: 1\n', 'bot.yaml:6: the unknown field "zzzzzz" is left alone here, and a host refuses it'],
  ['2: 1\n', 'bot.yaml:6: the unknown field "2" is left alone here, and a host refuses it'],
  ['config: { a: 1 }\n', 'bot.yaml:6: config counts on a host only; in place it is config.json'],
  ['env: { A: 1 }\n', 'bot.yaml:6: env counts on a host only; in place it is --env-file'],
])('%j is told with its line', async (more, warning) => {
  expect(await warnings(good + more)).toEqual([warning]);
});

test('an entrypoint that nobody knows is told, too', async () => {
  expect(await warnings('entrypoints:\n  bot: main.py\n  qurey: q.py\n')).toEqual([
    'bot.yaml:3: the unknown field "entrypoints.qurey" is left alone here, and a host refuses it; did you mean query?',
  ]);
});

test('the older file is another tool’s as well', async () => {
  expect(await warnings('name: b\nzzzzzz: 1\n', 'bot-config.yaml')).toEqual([]);
});

test.each(['bot.yml', 'Bot.yaml', 'bot-config.yml', 'bot.json'])(
  '%s is told not to be read',
  async (file) => {
    expect(await warnings(good, file)).toEqual([`${file} is not read: name it bot.yaml`]);
  },
);

test('a host reads the same fields', () => {
  const { read, host, others, entrypoints } = botFields;
  const inPlaceOnly = ['wrap'];
  expect([...Object.keys(botSchema.entries), ...inPlaceOnly].sort()).toEqual(
    [...read, ...host, ...others].sort(),
  );
  expect(Object.keys(botSchema.entries.entrypoints.wrapped.entries)).toEqual(entrypoints);
});
