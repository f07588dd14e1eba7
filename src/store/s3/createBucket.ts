import { isRuntimeError } from '../../base/errors.ts';
import type { S3Client } from './s3Client.ts';
import { escapeXml } from './s3Xml.ts';

/** Makes the client's bucket; nothing when it is there. */
export async function createBucket(
  client: S3Client,
  region: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const body = Buffer.from(
    `<CreateBucketConfiguration><LocationConstraint>${escapeXml(region)}</LocationConstraint></CreateBucketConfiguration>`,
  );
  const elsewhere = region !== 'us-east-1' && { body };
  try {
    await client.sendForText({ op: 'store.createBucket', method: 'PUT', ...elsewhere, signal });
  } catch (error) {
    // Another process was faster, or it has been there for long.
    if (!isRuntimeError(error, 'conflict')) throw error;
  }
}
