import { expect, test } from 'vitest';
import { least, problemsOf } from './sources.ts';

test.each([
  ['code in the state', { CODE_PATH: '/state/code' }],
  ['code and state the same', { CODE_PATH: '/x', STATE_PATH: '/x/' }],
  ['logs in the state', { LOGS_PATH: '/state/logs' }],
  ['the store in the state', { STORE_URL: 'file:///state/store' }],
  ['the state in the store', { STATE_PATH: '/srv/store/state' }],
  ['the code cache in the state', { CODE_CACHE: '/state/cache' }],
  ['the state in the logs', { STATE_PATH: '/var/the0/logs/state' }],
  ['the state in code that is pulled', { STATE_PATH: '/bot/state', CODE_FILE: 'bot.zip' }],
  ['logs in code that is pulled', { LOGS_PATH: '/bot/logs', CODE_FILE: 'bot.zip' }],
  ['STATE_DIR outside the state', { STATE_DIR: '/elsewhere' }],
])('%s is refused', async (_, env) => {
  expect(await problemsOf({ ...least, ...env })).toHaveLength(1);
});

test.each([
  ['the state beside the code, names alike', { CODE_PATH: '/a', STATE_PATH: '/ab', CODE_FILE: 'bot.zip' }],
  [
    'everything below code that is in place',
    { STATE_PATH: '/bot/.runtime/state', LOGS_PATH: '/bot/.runtime/logs' },
  ],
  ['STATE_DIR is the state', { STATE_DIR: '/state' }],
])('%s is accepted', async (_, env) => {
  expect(await problemsOf({ ...least, ...env })).toEqual([]);
});
