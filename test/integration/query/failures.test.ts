import { text } from 'node:stream/consumers';
import { expect, inject, test } from 'vitest';
import { containerBots } from '../../support/container/containerBots.ts';
import { newContainer, runRuntime } from '../../support/process/executable.ts';
import { freePort } from '../../support/process/freePort.ts';
import { minioClient } from '../../support/store/minio.ts';
import { testBucket } from '../../support/store/testBucket.ts';

const minio = inject('minio');
const client = minioClient(minio);

/** A bot that was deployed, and one query of it as the platform asks it. */
async function question() {
  const bots = await containerBots(minio);
  const files = { 'main.sh': '' };
  const env = await bots.deploy({ kind: 'command', entrypoint: 'echo this is not an answer', files });
  return {
    ...(await newContainer()).env,
    ...env,
    MINIO_STATE_BUCKET: testBucket('state'),
    MINIO_QUERY_RESULTS_BUCKET: testBucket('results'),
    QUERY_PATH: '/x',
    QUERY_RESULT_KEY: 'answers/1.json',
  };
}

type Question = Awaited<ReturnType<typeof question>>;

async function uploaded({ MINIO_QUERY_RESULTS_BUCKET: bucket, QUERY_RESULT_KEY: key }: Question) {
  return await text(await client.getObject(bucket, key));
}

async function damageState({ MINIO_STATE_BUCKET: bucket, BOT_ID: bot }: Question) {
  await client.makeBucket(bucket);
  await client.putObject(bucket, `${bot}/head`, 'nonsense');
  return {};
}

test.each<[string, number, (env: Question) => Promise<object>]>([
  ['code that is not there', 66, async () => ({ CODE_FILE: 'none.zip' })],
  ['other code than was asked for', 65, async () => ({ CODE_SHA256: '0'.repeat(64) })],
  ['a damaged state', 65, damageState],
  [
    'a code archive without the entrypoint',
    127,
    async () => ({ RUNTIME: 'rust-stable', ENTRYPOINT: 'none' }),
  ],
])('%s is an error answer, on stdout and in the store', async (_name, code, change) => {
  const env = await question();
  const asked = await runRuntime(['execute'], { ...env, ...(await change(env)) });
  expect(asked.code).toBe(code);
  expect(JSON.parse(asked.stdout)).toEqual({ status: 'error', error: expect.any(String) });
  expect(asked.stdout.split('\n')).toHaveLength(2);
  expect(await uploaded(env)).toBe(asked.stdout.trim());
});

test('a store that is away is an error answer on stdout', async () => {
  const away = { MINIO_ENDPOINT: `127.0.0.1:${await freePort()}`, START_TIMEOUT: '1s' };
  const env = { ...(await question()), ...away };
  const asked = await runRuntime(['execute'], env);
  expect(asked.code).toBe(69);
  expect(JSON.parse(asked.stdout)).toEqual({ status: 'error', error: expect.any(String) });
});

test('a configuration that is wrong is 78, with nothing on stdout', async () => {
  const asked = await runRuntime(['execute'], { ...(await question()), QUERY_PARAMS: '[1]' });
  expect(asked).toMatchObject({ code: 78, stdout: '' });
  expect(asked.stderr).toContain('QUERY_PARAMS');
});
