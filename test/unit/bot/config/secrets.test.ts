import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { describeError } from '../../../../src/base/command/describeError.ts';
import { withoutCredentials } from '../../../../src/bot/config/withoutCredentials.ts';
import { least, problemsOf, read } from './sources.ts';

const folder = mkdtempSync(join(tmpdir(), 'secrets-'));
afterAll(() => rmSync(folder, { recursive: true }));

const minio = { ...least, STORE_URL: undefined, MINIO_ENDPOINT: 'minio:9000' };
const keys = { MINIO_ACCESS_KEY: 'hush-access', MINIO_SECRET_KEY: 'hush-secret', QUERY_TOKEN: 'hush-token' };

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

test('no dump of the configuration shows a secret, and the secrets are there', async () => {
  const config = await read({ ...minio, ...keys });
  for (const text of [JSON.stringify(config), inspect(config, { depth: 9, showHidden: true }), `${config}`]) {
    expect(text).not.toContain('hush');
  }
  expect(config.query.token?.reveal()).toBe('hush-token');
});

test('no problem shows a secret, the configuration of the bot, or the password in a URL', async () => {
  const env = {
    ...least,
    ...keys,
    MINIO_ENDPOINT: 'https://me:hu/sh@minio/?key=hush',
    MINIO_ACCESS_KEY_FILE: '/nowhere',
    STORE_URL: 's3://hush:hush@bucket',
    BOT_CONFIG: '{"key": hush}',
    QUERY_PARAMS: '{"key": hush}',
    TASK: '{"key": hush}',
  };
  for (const STORE_URL of [env.STORE_URL, undefined]) {
    const problems = await problemsOf({ ...env, STORE_URL });
    expect(problems.length).toBeGreaterThan(3);
    const error = await read({ ...env, STORE_URL }).catch((thrown: unknown) => thrown);
    for (const text of [
      problems.join(),
      inspect(error),
      describeError(error, { LOG_LEVEL: 'debug' }, Date.now),
      describeError(error, { LOG_FORMAT: 'json' }, Date.now),
    ]) {
      expect(text).not.toMatch(/hush|hu\/sh/);
    }
  }
});

test('a secret may come as a file, its last line end dropped', async () => {
  const config = await read({
    ...minio,
    MINIO_ACCESS_KEY_FILE: file('access', 'key\n'),
    MINIO_SECRET_KEY_FILE: file('secret', ' s \r\n'),
    QUERY_TOKEN_FILE: file('token', 'token'),
  });
  const { store, query } = config;
  expect(store.type === 's3' && [store.accessKey.reveal(), store.secretKey.reveal()]).toEqual(['key', ' s ']);
  expect(query.token?.reveal()).toBe('token');
});

test.each([
  ['both the variable and the file', { QUERY_TOKEN: 'a', QUERY_TOKEN_FILE: '/dev/null' }],
  ['a file that is not there', { QUERY_TOKEN_FILE: join(folder, 'missing') }],
  ['a folder', { QUERY_TOKEN_FILE: folder }],
  ['an empty file', { QUERY_TOKEN_FILE: file('empty', '\n') }],
  ['several lines', { QUERY_TOKEN_FILE: file('lines', 'a\nb\n') }],
  ['a file without end', { QUERY_TOKEN_FILE: '/dev/zero' }],
])('%s is a problem', async (_, env) => {
  expect(await problemsOf({ ...least, ...env })).toHaveLength(1);
});

test("the bot's environment has no credentials, and AWS_* only where the runtime does not use it", () => {
  const env = { PATH: '/bin', ...keys, QUERY_TOKEN_FILE: '/t', AWS_REGION: 'x', QUERY_PATH: '', EMPTY: '' };
  expect(withoutCredentials(env)).toEqual({ PATH: '/bin', AWS_REGION: 'x', EMPTY: '' });
  expect(withoutCredentials({ STORE_URL: 's3://', AWS_REGION: 'x' })).toEqual({ STORE_URL: 's3://' });
  const own = { STORE_URL: 's3://', MINIO_ENDPOINT: 'm:1', AWS_REGION: 'x' };
  expect(withoutCredentials(own)).toEqual(own);
});
