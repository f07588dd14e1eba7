import type { S3Client } from '@aws-sdk/client-s3';
import { RuntimeError } from '../../base/errors.ts';
import { HeadBucketCommand } from '../../base/parts/aws.ts';
import { abortable } from './awsClient.ts';

/** Any answer of the store's tells its time, a refusal too. */
export async function serverTime(
  client: S3Client,
  bucket: string,
  signal: AbortSignal | undefined,
): Promise<number> {
  let date: string | undefined;
  const command = new HeadBucketCommand({ Bucket: bucket });
  command.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      date = (result.response as { headers?: Record<string, string> }).headers?.date;
      return result;
    },
    { step: 'finalizeRequest' },
  );
  try {
    await client.send(command, abortable(signal));
  } catch (error) {
    date = (error as { $response?: { headers?: Record<string, string> } }).$response?.headers?.date;
    if (date === undefined) throw error;
  }
  const now = Date.parse(date ?? '');
  if (!Number.isNaN(now)) return now;
  throw new RuntimeError('unavailable', `${bucket}: an answer without the time`, { op: 'store.now' });
}
