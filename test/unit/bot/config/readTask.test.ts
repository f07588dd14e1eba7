import { expect, test } from 'vitest';
import { least, problemsOf, read } from './sources.ts';

const sha256 = 'A'.repeat(64);

async function taskOf(task: unknown) {
  return (await read({ ...least, TASK: JSON.stringify(task) })).task;
}

test('a task with inputs and outputs', async () => {
  const task = {
    name: 'Train it',
    inputs: [
      { id: 'rows', path: './data/rows.csv' },
      { id: 'model', key: 'models/v1/model.bin', sha256 },
      { id: '_both-1', key: 'a/b', path: 'c' },
      { id: 'who', value: 'a b' },
      { id: 'off', value: false },
    ],
    outputs: [
      { id: 'report', path: 'out/report.json', key: 'daily/report.json' },
      { id: 'scratch', path: 'out/x' },
    ],
    args: ['--in', '{rows.path}', 7],
  };
  expect(await taskOf(task)).toEqual({
    name: 'Train it',
    inputs: [
      { id: 'rows', path: 'data/rows.csv', key: undefined, sha256: undefined },
      {
        id: 'model',
        path: '.runtime/inputs/model/model.bin',
        key: 'models/v1/model.bin',
        sha256: 'a'.repeat(64),
      },
      { id: '_both-1', path: 'c', key: 'a/b', sha256: undefined },
      { id: 'who', value: 'a b' },
      { id: 'off', value: false },
    ],
    outputs: [
      { id: 'report', path: 'out/report.json', key: 'daily/report.json' },
      { id: 'scratch', path: 'out/x', key: undefined },
    ],
    args: ['--in', '{rows.path}', '7'],
  });
});

test('the name defaults to the bot', async () => {
  expect((await taskOf({ inputs: [] })).name).toBe('bot');
});

test.each([
  ['no object', []],
  ['an unknown field', { nmae: 'x' }],
  ['a name that is not text', { name: 7 }],
  ['a name of two lines', { name: 'a\nb' }],
  ['inputs that are not list', { inputs: {} }],
  ['an input that is not an object', { inputs: ['a'] }, 3],
  ['an input without id', { inputs: [{ path: 'a' }] }],
  ['an input without path and key', { inputs: [{ id: 'a' }] }],
  ['an input that is a value and a file', { inputs: [{ id: 'a', value: 1, path: 'a' }] }],
  ['a value with a null character', { inputs: [{ id: 'a', value: ['b\0'] }] }],
  ['inputs by key to one path', { inputs: ['a', 'b'].map((id) => ({ id, key: id, path: 'p' })) }],
  ['words that are not texts', { args: [['a'], null, 'b\0'] }, 3],
  ['an unknown field of an input', { inputs: [{ id: 'a', path: 'a', url: 'b' }] }],
  ['the id task', { inputs: [{ id: 'task', path: 'a' }] }],
  ['an id that begins with a digit', { outputs: [{ id: '1a', path: 'a' }] }],
  ['an id with a dot', { outputs: [{ id: 'a.b', path: 'a' }] }],
  [
    'an id used twice over both lists',
    { inputs: [{ id: 'a', path: 'a' }], outputs: [{ id: 'a', path: 'b' }] },
  ],
  ['an absolute path', { inputs: [{ id: 'a', path: '/etc/passwd' }] }],
  ['a path that leaves the code', { outputs: [{ id: 'a', path: 'b/../../c' }] }],
  ['an output without path', { outputs: [{ id: 'a', key: 'b' }] }],
  ['a key that leaves its folder', { outputs: [{ id: 'a', path: 'a', key: '../head' }] }],
  ['a key that is absolute', { inputs: [{ id: 'a', key: '/a' }] }],
  ['outputs of one key', { outputs: ['a', 'b'].map((id) => ({ id, path: id, key: 'k' })) }],
  ['outputs of one path', { outputs: ['a', 'b'].map((id) => ({ id, path: 'p' })) }],
  ['a checksum that is none', { inputs: [{ id: 'a', key: 'b', sha256: 'abc' }] }],
])('%s is refused', async (_, task, count = 1) => {
  expect(await problemsOf({ ...least, TASK: JSON.stringify(task) })).toHaveLength(count);
});

test('what is wrong with the task is reported with everything else', async () => {
  const TASK = '{"inputs":[{"id":"task","path":"/a"}]}';
  expect(await problemsOf({ ...least, TASK, BOT_ID: '..' })).toEqual([
    expect.stringMatching(/^BOT_ID/),
    expect.stringMatching(/^TASK\.inputs\[0\]\.id="task"/),
    expect.stringMatching(/^TASK\.inputs\[0\]\.path="\/a"/),
  ]);
});
