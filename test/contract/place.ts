import { Secret } from '../../src/base/secret.ts';
import { openAwsStore } from '../../src/store/aws/aws.ts';
import { openFileStore } from '../../src/store/file/file.ts';
import type { ObjectStore } from '../../src/store/objectStore.ts';
import { openS3Store } from '../../src/store/s3/s3.ts';
import type { MinioAddress } from '../support/store/minio.ts';

/** What a writer in another process needs to open the same bucket. */
export type Place =
  | { readonly type: 'file'; readonly dir: string; readonly bucket: string }
  | ({ readonly type: 's3' | 'aws'; readonly bucket: string } & MinioAddress);

export function openPlace(place: Place, createBucket = true): ObjectStore {
  if (place.type === 'file') return openFileStore(place.dir, place.bucket, { createBucket });
  const { endpoint, bucket } = place;
  if (place.type === 'aws') {
    // Where the SDK's own chain looks first.
    process.env.AWS_ACCESS_KEY_ID = place.accessKey;
    process.env.AWS_SECRET_ACCESS_KEY = place.secretKey;
    return openAwsStore({ endpoint, bucket, createBucket, region: 'us-east-1' });
  }
  return openS3Store({
    endpoint,
    bucket,
    createBucket,
    region: 'us-east-1',
    accessKey: new Secret(place.accessKey),
    secretKey: new Secret(place.secretKey),
    sessionToken: undefined,
  });
}
