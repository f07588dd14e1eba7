import { expect, test } from 'vitest';
import { mergeSources } from '../../../../src/bot/config/mergeSources.ts';
import { least, problemsOf } from './sources.ts';

const files = {
  defaults: { BOT_ID: 'file', RUNTIME: 'file', ENTRYPOINT: 'file', BOT_TYPE: 'realtime' },
  settled: { CODE_PATH: '/dir', CODE_FILE: '' },
  origins: { BOT_ID: 'bot.yaml:1', RUNTIME: 'bot.yaml:2', ENTRYPOINT: 'bot.yaml:3' },
};

test('flags beat variables, variables beat files', () => {
  const merged = mergeSources({
    files,
    env: { BOT_ID: 'variable', RUNTIME: 'variable', PATH: '/bin' },
    flags: { 'bot-id': 'flag' },
  });
  expect(merged.env).toEqual({
    BOT_ID: 'flag',
    RUNTIME: 'variable',
    ENTRYPOINT: 'file',
    BOT_TYPE: 'realtime',
    CODE_PATH: '/dir',
    PATH: '/bin',
  });
  expect(merged.origins).toEqual({ BOT_ID: '--bot-id', ENTRYPOINT: 'bot.yaml:3' });
});

test('what the directory settles is not overruled by a variable', () => {
  const { env } = mergeSources({ files, flags: {}, env: { CODE_PATH: '/bot', CODE_FILE: 'bot.zip' } });
  expect(env).toMatchObject({ CODE_PATH: '/dir' });
  expect(env).not.toHaveProperty('CODE_FILE');
});

test('an empty variable of the runtime counts as unset, others stay', () => {
  const { env } = mergeSources({
    files,
    flags: {},
    env: { BOT_ID: '', QUERY_PATH: '', MINIO_ACCESS_KEY_FILE: '', X: '' },
  });
  expect(env).toMatchObject({ BOT_ID: 'file', X: '' });
  expect(Object.keys(env)).not.toEqual(expect.arrayContaining(['QUERY_PATH']));
  expect(env).not.toHaveProperty('MINIO_ACCESS_KEY_FILE');
});

test('a boolean flag, the flag for an ephemeral query, and a flag against the older way to say the type', () => {
  const flags = { 'allow-experimental': true, query: '/status', 'bot-type': 'realtime' };
  expect(mergeSources({ flags, env: { IS_SCHEDULED: 'true' } }).env).toEqual({
    ALLOW_EXPERIMENTAL: 'true',
    QUERY_PATH: '/status',
    BOT_TYPE: 'realtime',
  });
});

test('secrets have no flag', () => {
  expect(mergeSources({ flags: { 'query-token': 'x', 'minio-secret-key': 'x' }, env: {} }).env).toEqual({});
});

test('merging again changes nothing, so that child processes read the same', () => {
  const { env } = mergeSources({
    files,
    env: { PATH: '/bin', RUNTIME: '' },
    flags: { 'sync-interval': '5s' },
  });
  expect(mergeSources({ env, flags: {} }).env).toEqual(env);
});

test('a problem says where the value came from', async () => {
  const { env, origins } = mergeSources({ env: least, flags: { 'sync-interval': '5' } });
  expect(await problemsOf(env, { origins })).toEqual([expect.stringContaining('"5" (from --sync-interval)')]);
});
