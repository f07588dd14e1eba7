import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { botEnvironment, type Environment, mayStartEarly } from '../../../../src/bot/kinds/botEnv.ts';
import { builtInKinds } from '../../../../src/bot/kinds/builtIn.ts';
import { nodejs20 } from '../../../../src/bot/kinds/node/nodejs20.ts';
import { kindRequest } from '../../../support/process/kindRequest.ts';

function environment(containerEnv: Environment, more: Partial<Parameters<typeof botEnvironment>[0]> = {}) {
  const request = kindRequest('/bot', 'bin/bot');
  const launch = { argv: ['/bot/bin/bot'], env: { FROM_KIND: 'yes' }, cwd: '/bot', control: undefined };
  return botEnvironment({ containerEnv, request, launch, otherUser: false, ...more });
}

test('the bot gets what the contract names, over what the container had', () => {
  expect(
    environment({ BOT_ID: 'old', LANG: 'C', GONE: undefined, NODE_OPTIONS: '--no-warnings', HOME: '/root' }),
  ).toEqual({
    LANG: 'C',
    NODE_OPTIONS: '--no-warnings',
    HOME: '/root',
    BOT_ID: 'bot-1',
    BOT_CONFIG: '{"pair":"BTC/USD"}',
    BOT_TYPE: 'scheduled',
    STATE_DIR: '/state/.the0-state',
    CODE_MOUNT_DIR: 'bot',
    SCRIPT_PATH: 'bin/bot',
    ENTRYPOINT_TYPE: 'bot',
    FROM_KIND: 'yes',
  });
});

test.each([
  'QUERY_TOKEN',
  'MINIO_ACCESS_KEY',
  'MINIO_ACCESS_KEY_FILE',
  'MINIO_SECRET_KEY',
  'MINIO_SECRET_KEY_FILE',
  'QUERY_PATH',
  'QUERY_PARAMS',
  'QUERY_PARAM_symbol',
  'QUERY_RESULT_KEY',
  'THE0_QUERY_PORT',
  'NODE_CHANNEL_FD',
  'NODE_CHANNEL_SERIALIZATION_MODE',
])('%s stays with the runtime', (name) => {
  expect(environment({ [name]: '' })).not.toHaveProperty(name);
});

test('AWS_* is withheld only where the runtime itself uses it', () => {
  const containerEnv = { AWS_SECRET_ACCESS_KEY: 's', AWS_REGION: 'r' };
  expect(environment(containerEnv)).toMatchObject(containerEnv);
  expect(Object.keys(environment({ ...containerEnv, STORE_URL: 's3://' })).join()).not.toContain('AWS_');
});

test('a store address is passed on unless it holds credentials', () => {
  expect(environment({ STORE_URL: 'file:///store' })).toHaveProperty('STORE_URL');
  expect(environment({ STORE_URL: 's3://key:secret@host' })).not.toHaveProperty('STORE_URL');
});

test('another user does not get the home of the first', () => {
  const other = environment({ HOME: '/root', USER: 'root', LOGNAME: 'root' }, { otherUser: true });
  expect(other).toHaveProperty('HOME', '/tmp');
  expect(other).not.toHaveProperty('USER');
  expect(other).not.toHaveProperty('LOGNAME');
});

test('a query program gets what its caller adds', () => {
  const request = kindRequest('/bot', 'query.py', { role: 'query', botType: 'realtime' });
  const query = environment({ QUERY_PATH: '/old' }, { request, extra: { QUERY_PATH: '/status' } });
  expect(query).toMatchObject({ ENTRYPOINT_TYPE: 'query', QUERY_PATH: '/status', BOT_TYPE: 'realtime' });
});

test.each([
  [{}, true],
  [{ NODE_OPTIONS: '--max-old-space-size=64 --enable-source-maps' }, true],
  [{ NODE_OPTIONS: '--no-warnings --require ./trace.js' }, false],
  [{ NODE_OPTIONS: '--import=/bot/trace.mjs' }, false],
  [{ LD_PRELOAD: '/bot/library.so' }, false],
])('with %j the interpreter may start before the code is there: %s', (containerEnv, expected) => {
  expect(mayStartEarly(nodejs20, containerEnv)).toBe(expected);
});

test('every built-in kind names files that are there', async () => {
  const root = join(import.meta.dirname, '../../../..');
  for (const path of builtInKinds.flatMap(({ source }) => source)) await access(join(root, path));
});
