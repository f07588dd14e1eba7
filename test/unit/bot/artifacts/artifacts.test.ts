import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { inputsThere } from '../../../../src/bot/artifacts/inputsThere.ts';
import { pullInputs } from '../../../../src/bot/artifacts/pullInputs.ts';
import { saveOutputs } from '../../../../src/bot/artifacts/saveOutputs.ts';
import type { TaskInput, TaskOutput } from '../../../../src/bot/config/task.ts';
import { openFileStore } from '../../../../src/store/file/file.ts';
import { temporaryDirectory } from '../../../support/files/temporary.ts';
import { memoryLog } from '../../../support/memoryLog.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const input = (more: Partial<TaskInput>): TaskInput => ({
  id: 'data',
  path: 'in/data.csv',
  key: 'k/data.csv',
  sha256: undefined,
  value: undefined,
  ...more,
});

async function place() {
  const root = await temporaryDirectory();
  const [codePath, outside] = [join(root, 'bot'), join(root, 'outside')];
  for (const folder of [codePath, outside]) mkdirSync(folder);
  const store = openFileStore(join(root, 'store'), 'bucket');
  const { log, lines } = memoryLog();
  return {
    codePath,
    outside,
    store,
    lines,
    pull: async (...inputs: TaskInput[]) => {
      const { signal } = new AbortController();
      await pullInputs({ store, inputs, codePath, owner: undefined, maxBytes: 1000, signal });
    },
    save: async (...outputs: TaskOutput[]) => {
      const { signal } = new AbortController();
      await saveOutputs({
        store,
        bot: 'b',
        outputs,
        codePath,
        owner: undefined,
        maxBytes: 1000,
        log,
        signal,
      });
    },
    stored: async (key: string) => (await buffer((await store.get(key)).body)).toString(),
  };
}

test('an input is put at its path, whole, in folders made for it', async () => {
  const { store, codePath, pull } = await place();
  await store.put('k/data.csv', Buffer.from('rows'));
  await pull(
    input({ sha256: sha256('rows') }),
    input({ id: 'value', path: undefined, key: undefined, value: 7 }),
  );
  expect(readFileSync(join(codePath, 'in/data.csv'), 'utf8')).toBe('rows');
  expect(statSync(join(codePath, 'in/data.csv')).mode & 0o777).toBe(0o644);
  expect(readdirSync(join(codePath, 'in'))).toEqual(['data.csv']);
  await store.put('k/data.csv', Buffer.from('new'));
  await pull(input({}));
  expect(readFileSync(join(codePath, 'in/data.csv'), 'utf8')).toBe('new');
});

test.each([
  ['another checksum', input({ sha256: sha256('other') }), 65, 'SHA-256'],
  ['no such object', input({ key: 'k/absent' }), 66, 'k/absent'],
  ['too many bytes', input({ key: 'k/large' }), 65, '2000 bytes'],
])('an input with %s is refused by name, and nothing of it is left', async (_, bad, exitCode, text) => {
  const { store, codePath, pull } = await place();
  await store.put('k/data.csv', Buffer.from('rows'));
  await store.put('k/large', Buffer.alloc(2000));
  await expect(pull(bad)).rejects.toMatchObject({
    exitCode,
    message: expect.stringMatching(new RegExp(`^the input data: .*${text}`)),
  });
  expect(readdirSync(codePath, { recursive: true }).filter((name) => name !== 'in')).toEqual([]);
});

test('an input is never written through a link, which the bot may have put there', async () => {
  const { store, codePath, outside, pull } = await place();
  await store.put('k/data.csv', Buffer.from('rows'));
  symlinkSync(outside, join(codePath, 'in'));
  await expect(pull(input({}))).rejects.toMatchObject({ exitCode: 78 });
  expect(readdirSync(outside)).toEqual([]);
  writeFileSync(join(outside, 'file'), 'mine');
  symlinkSync(join(outside, 'file'), join(codePath, 'here.csv'));
  await pull(input({ path: 'here.csv' }));
  expect(readFileSync(join(outside, 'file'), 'utf8')).toBe('mine');
  expect(readFileSync(join(codePath, 'here.csv'), 'utf8')).toBe('rows');
});

test('all inputs that are not there are named', async () => {
  const { codePath } = await place();
  writeFileSync(join(codePath, 'there.txt'), '');
  const inputs = [
    input({ id: 'a', path: 'never.txt', key: undefined }),
    input({ id: 'b', path: 'there.txt', key: undefined }),
    input({ id: 'c', path: 'there.txt/x' }),
    input({ id: 'd', path: undefined, key: undefined, value: 1 }),
  ];
  await expect(inputsThere({ name: 't', inputs, outputs: [], args: [] }, codePath)).rejects.toMatchObject({
    exitCode: 66,
    problems: [
      'the input a is not there: never.txt (ENOENT)',
      'the input c is not there: there.txt/x (ENOTDIR)',
    ],
  });
});

test('the checksum of an input that is part of the code is verified', async () => {
  const { codePath } = await place();
  writeFileSync(join(codePath, 'data.txt'), 'rows');
  mkdirSync(join(codePath, 'folder'));
  const check = (path: string, digest: string) =>
    inputsThere(
      { name: 't', inputs: [input({ path, key: undefined, sha256: digest })], outputs: [], args: [] },
      codePath,
    );
  await check('data.txt', sha256('rows'));
  await expect(check('data.txt', sha256('other'))).rejects.toMatchObject({ exitCode: 65 });
  await expect(check('folder', sha256('other'))).rejects.toMatchObject({ exitCode: 65 });
});

test('outputs with a key are saved under the bot; one that was not made is a warning', async () => {
  const { codePath, save, stored, lines } = await place();
  mkdirSync(join(codePath, 'out'));
  writeFileSync(join(codePath, 'out/report.json'), '{}');
  writeFileSync(join(codePath, 'empty'), '');
  await save(
    { id: 'report', path: 'out/report.json', key: 'daily/report.json' },
    { id: 'empty', path: 'empty', key: 'empty' },
    { id: 'scratch', path: 'out/scratch', key: undefined },
    { id: 'absent', path: 'gone/absent', key: 'absent' },
  );
  expect(await stored('b/outputs/daily/report.json')).toBe('{}');
  expect(await stored('b/outputs/empty')).toBe('');
  expect(lines.join('')).toContain('the output absent was not made: gone/absent');
});

test('an output is never read through a link, and nothing but a file is one; the others are saved', async () => {
  const { codePath, outside, save, store, stored } = await place();
  writeFileSync(join(outside, 'secret'), 'hush');
  symlinkSync(join(outside, 'secret'), join(codePath, 'file'));
  symlinkSync(outside, join(codePath, 'folder'));
  mkdirSync(join(codePath, 'made'));
  writeFileSync(join(codePath, 'good'), 'x');
  writeFileSync(join(codePath, 'large'), 'x'.repeat(1001));
  const outputs = ['file', 'folder/secret', 'made', 'large', 'good'].map((path, at) => ({
    id: `o${at}`,
    path,
    key: `k${at}`,
  }));
  const saving = save(...outputs);
  await expect(saving).rejects.toMatchObject({ exitCode: 74 });
  await expect(saving).rejects.toThrow(/the output o0: .*the output o1: .*the output o2: .*the output o3: /);
  const keys = [];
  for await (const { key } of store.list('')) keys.push(key);
  expect(keys).toEqual(['b/outputs/k4']);
  expect(await stored('b/outputs/k4')).toBe('x');
});
