import { expect, test } from 'vitest';
import { controller, the0Env } from '../../../../src/host/commands/the0/controller.ts';

test('the0’s flags, variables and defaults, in our words', () => {
  expect(the0Env({ flags: {}, env: {} })).toMatchObject({
    MONGO_URI: 'mongodb://localhost:27017',
    NAMESPACE: 'the0',
    MINIO_ENDPOINT: 'minio:9000',
  });
  const env = {
    MONGO_URI: 'mongodb://m',
    NAMESPACE: 'n',
    MINIO_BUCKET: 'b',
    RUNTIME_IMAGE: 'i',
    NATS_URL: 'nats://n',
  };
  expect(the0Env({ flags: {}, env })).toMatchObject({ ...env, MINIO_CODE_BUCKET: 'b' });
  const flags = {
    'mongo-uri': 'mongodb://f',
    namespace: 'f',
    'reconcile-interval': '30s',
    'minio-endpoint': 'f:9000',
    'minio-bucket': 'f',
    'runtime-image': 'f',
    'runtime-image-pull-policy': 'Never',
  };
  expect(the0Env({ flags, env })).toMatchObject({
    MONGO_URI: 'mongodb://f',
    NATS_URL: 'nats://n',
    NAMESPACE: 'f',
    RECONCILE_INTERVAL: '30s',
    MINIO_ENDPOINT: 'f:9000',
    MINIO_CODE_BUCKET: 'f',
    RUNTIME_IMAGE: 'f',
    RUNTIME_IMAGE_PULL_POLICY: 'Never',
  });
});

test('it takes every flag of the0’s', () => {
  const the0s =
    'mongo-uri nats-url namespace reconcile-interval minio-endpoint minio-bucket runtime-image runtime-image-pull-policy';
  expect(Object.keys(controller.options ?? {})).toEqual(expect.arrayContaining(the0s.split(' ')));
});
