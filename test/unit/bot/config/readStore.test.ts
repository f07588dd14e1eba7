import { expect, test } from 'vitest';
import type { Env } from '../../../../src/base/env.ts';
import { least, problemsOf, read } from './sources.ts';

const bare = { ...least, STORE_URL: undefined };
const keys = { MINIO_ACCESS_KEY: 'a', MINIO_SECRET_KEY: 's' };
const awsKeys = { STORE_URL: 's3://', AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 's' };

async function storeOf(env: Env) {
  return (await read({ ...bare, ...env })).store;
}

test.each([
  ['minio:9000', undefined, 'http://minio:9000'],
  ['minio:9000', 'true', 'https://minio:9000'],
  ['minio', undefined, 'http://minio'],
  ['127.0.0.1:9000', 'false', 'http://127.0.0.1:9000'],
  ['[::1]:9000', undefined, 'http://[::1]:9000'],
  ['http://minio:9000/', undefined, 'http://minio:9000'],
  ['https://minio', 'false', 'https://minio'],
])('MINIO_ENDPOINT %s with MINIO_USE_SSL %s is %s', async (MINIO_ENDPOINT, MINIO_USE_SSL, endpoint) => {
  expect(await storeOf({ ...keys, MINIO_ENDPOINT, MINIO_USE_SSL })).toMatchObject({
    type: 's3',
    endpoint,
    region: 'us-east-1',
  });
});

test.each(['http://minio/path', 'ftp://minio', 'a b', '::1', 'minio:99999', 'u:p@minio', 'minio:9000?x'])(
  'MINIO_ENDPOINT %s is refused',
  async (MINIO_ENDPOINT) => {
    expect(await problemsOf({ ...bare, ...keys, MINIO_ENDPOINT })).toHaveLength(1);
  },
);

test('MINIO_USE_SSL=true never becomes plain HTTP', async () => {
  const env = { ...bare, ...keys, MINIO_ENDPOINT: 'http://minio', MINIO_USE_SSL: 'true' };
  expect(await problemsOf(env)).toHaveLength(1);
});

test('each missing half of the MINIO variables is named', async () => {
  const problems = await problemsOf({ ...bare, MINIO_SECRET_KEY: 's' });
  expect(problems.map((line) => line.split(' ')[0])).toEqual(['MINIO_ENDPOINT', 'MINIO_ACCESS_KEY']);
});

test('no store at all names both ways to give one', async () => {
  const [problem] = await problemsOf(bare);
  expect(problem).toMatch(/STORE_URL.*MINIO_ENDPOINT/);
});

test('a file store, also where MINIO variables are set', async () => {
  const STORE_URL = 'file:///srv/my%20store/';
  expect(await storeOf({ ...keys, MINIO_ENDPOINT: 'm:1', STORE_URL })).toEqual({
    type: 'file',
    path: '/srv/my store',
  });
});

test.each([
  'file://host/path',
  'file:path',
  'file:///',
  '/srv',
  's3://bucket',
  'http://minio',
  'file:///a?b',
])('STORE_URL %s is refused', async (STORE_URL) => {
  expect(await problemsOf({ ...bare, STORE_URL })).toHaveLength(1);
});

test('s3:// uses MINIO variables where they are set', async () => {
  expect(await storeOf({ ...keys, MINIO_ENDPOINT: 'm:1', STORE_URL: 's3://' })).toMatchObject({
    endpoint: 'http://m:1',
  });
});

test('static AWS keys with an endpoint or a region need no credential chain', async () => {
  expect(await storeOf({ ...awsKeys, AWS_REGION: 'eu-west-1' })).toMatchObject({
    type: 's3',
    endpoint: 'https://s3.eu-west-1.amazonaws.com',
    region: 'eu-west-1',
  });
  const urls = { AWS_ENDPOINT_URL_S3: 'http://m:9000', AWS_ENDPOINT_URL: 'http://other' };
  expect(await storeOf({ ...awsKeys, ...urls, AWS_SESSION_TOKEN: 't' })).toMatchObject({
    type: 's3',
    endpoint: 'http://m:9000',
    sessionToken: expect.anything(),
  });
});

test.each([
  ['no keys', { STORE_URL: 's3://', AWS_REGION: 'r' }],
  ['a profile', { ...awsKeys, AWS_REGION: 'r', AWS_PROFILE: 'p' }],
  ['an endpoint below a path', { ...awsKeys, AWS_ENDPOINT_URL: 'http://m/s3' }],
  ['neither endpoint nor region', awsKeys],
])('%s: the AWS SDK decides', async (_, env) => {
  expect((await storeOf(env)).type).toBe('aws');
});
