import { expect, test, vi } from 'vitest';
import { HeadBucketCommand } from '../../../../src/base/parts/aws.ts';
import { awsError, createAwsClient } from '../../../../src/store/aws/awsClient.ts';

test('where nothing names a region it says so, and does not try for a minute', async () => {
  for (const name of ['AWS_REGION', 'AWS_DEFAULT_REGION', 'AWS_PROFILE']) vi.stubEnv(name, undefined);
  for (const name of ['AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE']) vi.stubEnv(name, '/nowhere');
  const client = createAwsClient({ endpoint: undefined, region: undefined });
  const error = await client.send(new HeadBucketCommand({ Bucket: 'b' })).catch((thrown: unknown) => thrown);
  expect(awsError(error, 'store.head', 'b at AWS')).toMatchObject({
    code: 'unavailable',
    retryable: false,
    message: 'b at AWS: no region of AWS is named',
    hint: expect.stringContaining('AWS_REGION'),
  });
  client.destroy();
  vi.unstubAllEnvs();
});
