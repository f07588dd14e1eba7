import { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import { isRuntimeError, RuntimeError } from '../../base/errors.ts';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '../../base/parts/aws.ts';
import { blameChecksum } from '../blameChecksum.ts';
import { checkKey } from '../checkKey.ts';
import { cutBody } from '../cutBody.ts';
import { mappedBody } from '../mappedBody.ts';
import { measuredBody } from '../measuredBody.ts';
import type { ObjectBody, ObjectInfo, ObjectStore, PutOptions } from '../objectStore.ts';
import { appendByCopy } from '../s3/appendByCopy.ts';
import { createConditional } from '../s3/conditional.ts';
import { encodePath } from '../s3/encodePath.ts';
import { requireAsStored, requireStart, requireTag } from '../s3/requireStore.ts';
import { decodeKey, quoted } from '../s3/s3Xml.ts';
import { createSweeper } from '../s3/sweepUploads.ts';
import { sha256Of, sizeOf } from '../sha256.ts';
import { wholeChecksum } from '../wholeChecksum.ts';
import { type AwsClientOptions, abortable, awsError, createAwsClient } from './awsClient.ts';
import { awsMultipart } from './awsMultipart.ts';
import { refuseOthers } from './refuseOthers.ts';
import { serverTime } from './serverTime.ts';

export interface AwsStoreOptions extends AwsClientOptions {
  readonly bucket: string;
  /** Whether a missing bucket is made on the first write. */
  readonly createBucket: boolean;
}

/** A bucket of an S3 store by the AWS SDK: for its credential chain. It costs a container 90 ms more than `s3.ts`. */
export function openAwsStore(options: AwsStoreOptions): ObjectStore {
  const { bucket, createBucket } = options;
  const where = options.endpoint === undefined ? 'AWS' : new URL(options.endpoint).host;
  const client = createAwsClient(options);
  refuseOthers(client, where);
  const sweeper = createSweeper();
  const conditionally = createConditional();
  const object = (key: string) => ({ Bucket: bucket, Key: key });
  const subject = (key: string | undefined) => `${bucket}${key === undefined ? '' : `/${key}`} at ${where}`;

  const guarded = async <T>(
    op: string,
    /** Undefined: the bucket. An empty key would be taken for it too. */
    key: string | undefined,
    signal: AbortSignal | undefined,
    call: () => Promise<T>,
  ): Promise<T> => {
    signal?.throwIfAborted();
    if (key !== undefined) checkKey(key, op);
    try {
      return await call();
    } catch (error) {
      signal?.throwIfAborted();
      throw awsError(error, op, subject(key));
    }
  };

  const head: ObjectStore['head'] = (key, { checksum, signal } = {}) =>
    guarded('store.head', key, signal, async () => {
      const ChecksumMode = checksum ? 'ENABLED' : undefined;
      const output = await client.send(
        new HeadObjectCommand({ ...object(key), ChecksumMode }),
        abortable(signal),
      );
      const sha256 = wholeChecksum(output.ChecksumSHA256);
      return { ...infoOf(key, Number(output.ContentLength), output), sha256 };
    });

  return {
    name: `s3 bucket "${bucket}" at ${where}`,

    get: (key, { range, ifMatch, signal } = {}) =>
      guarded('store.get', key, signal, async () => {
        // Bytes in HTTP count to the last one.
        const Range = range && `bytes=${range.start}-${range.end - 1}`;
        const command = new GetObjectCommand({ ...object(key), Range, IfMatch: ifMatch });
        const output = await client.send(command, abortable(signal));
        let size = Number(output.ContentRange?.split('/')[1] ?? output.ContentLength);
        const toStoreError = (error: unknown) => awsError(error, 'store.get', subject(key));
        const body = output.Body as Readable;
        try {
          const etag = quoted(output.ETag ?? '');
          requireTag(etag, ifMatch, subject(key));
          size = await requireAsStored({
            path: subject(key),
            size,
            etag,
            encoding: output.ContentEncoding,
            stored: () => head(key, { signal }),
          });
          if (range) requireStart(output.ContentRange, range.start, subject(key));
        } catch (error) {
          body.destroy();
          throw error;
        }
        // The whole object: a gateway that knows no ranges.
        const cut = range && output.ContentRange === undefined ? cutBody(body, range) : body;
        return { ...infoOf(key, size, output), body: mappedBody(cut, toStoreError, signal) };
      }),

    head,

    put: async (key, body, options = {}) => {
      const { ifMatch, signal } = options;
      const send = (allowed: PutOptions) =>
        guarded('store.put', key, signal, () => putOnce(client, bucket, key, body, allowed));
      const { ifMatch: _, ifNoneMatch: __, ...unconditional } = options;
      const isConditional = (ifMatch ?? options.ifNoneMatch) !== undefined;
      const put = () =>
        isConditional ? conditionally((has) => send(has ? options : unconditional)) : send(options);
      try {
        return await put();
      } catch (error) {
        const missing = isRuntimeError(error, 'not-found');
        // Some stores say "not found" of a condition on what is not there.
        if (missing && ifMatch !== undefined)
          throw new RuntimeError('conflict', `${subject(key)} is gone`, { op: 'store.put', cause: error });
        if (!missing || !createBucket) throw await blameChecksum(error, key, body, options);
        await guarded('store.createBucket', undefined, signal, () => createMissing(client, bucket, signal));
        return await put();
      }
    },

    append: (key, base, tail, options = {}) =>
      guarded('store.append', key, options.signal, () => {
        const calls = awsMultipart(client, bucket, key, (call, signal) =>
          guarded('store.append', key, signal, () => call),
        );
        return appendByCopy({ key, base, tail, calls, sweeper }, options);
      }),

    copy: (from, to, { signal } = {}) =>
      guarded('store.copy', to, signal, async () => {
        checkKey(from, 'store.copy');
        const command = new CopyObjectCommand({ ...object(to), CopySource: `${bucket}/${encodePath(from)}` });
        await client.send(command, abortable(signal));
      }),

    async *list(prefix, { signal, startAfter } = {}): AsyncGenerator<ObjectInfo> {
      let next: string | undefined;
      do {
        const page = await guarded('store.list', undefined, signal, () => {
          const command = new ListObjectsV2Command({
            Bucket: bucket,
            Prefix: prefix,
            EncodingType: 'url',
            StartAfter: startAfter,
            ContinuationToken: next,
          });
          return client.send(command, abortable(signal));
        });
        for (const { Key = '', Size, ...output } of page.Contents ?? []) {
          yield infoOf(decodeKey(Key), Number(Size), output);
        }
        next = page.IsTruncated ? page.NextContinuationToken : undefined;
        if (page.IsTruncated && !next)
          throw new RuntimeError('unavailable', `${subject(undefined)}: an incomplete listing`, {
            op: 'store.list',
          });
      } while (next !== undefined);
    },

    delete: (key, { signal } = {}) =>
      guarded('store.delete', key, signal, async () => {
        await client.send(new DeleteObjectCommand(object(key)), abortable(signal));
      }).catch((error: unknown) => {
        if (!isRuntimeError(error, 'not-found')) throw error;
      }),

    now: ({ signal } = {}) =>
      guarded('store.now', undefined, signal, () => serverTime(client, bucket, signal)),

    close: () => client.destroy(),
  };
}

async function putOnce(
  client: S3Client,
  bucket: string,
  key: string,
  body: ObjectBody,
  options: PutOptions,
): Promise<{ etag: string }> {
  const { ifMatch, ifNoneMatch, contentType, signal } = options;
  const sha256 = options.sha256 ?? (await sha256Of(body, { key, signal }));
  const source = body instanceof Uint8Array ? body : Readable.from(measuredBody(body, { key, signal }));
  // The SDK does not hear of a source that fails.
  const failed = new AbortController();
  if (source instanceof Readable) source.once('error', (error) => failed.abort(error));
  const command = new PutObjectCommand({
    Bucket: bucket,
    Key: key,
    Body: source,
    ContentLength: sizeOf(body),
    ContentType: contentType ?? 'application/octet-stream',
    ChecksumSHA256: Buffer.from(sha256, 'hex').toString('base64'),
    IfMatch: ifMatch,
    IfNoneMatch: ifNoneMatch,
  });
  const abortSignal = AbortSignal.any(signal ? [signal, failed.signal] : [failed.signal]);
  try {
    const { ETag = '' } = await client.send(command, { abortSignal });
    return { etag: quoted(ETag) };
  } catch (error) {
    failed.signal.throwIfAborted();
    throw error;
  }
}

async function createMissing(
  client: S3Client,
  bucket: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const region = await client.config.region();
  const command = new CreateBucketCommand({
    Bucket: bucket,
    ...(region !== 'us-east-1' && {
      CreateBucketConfiguration: { LocationConstraint: region as 'eu-west-1' },
    }),
  });
  await client.send(command, abortable(signal)).catch((error: unknown) => {
    // Another process was faster.
    if (!isRuntimeError(awsError(error, 'store.createBucket', bucket), 'conflict')) throw error;
  });
}

function infoOf(
  key: string,
  size: number,
  { ETag = '', LastModified }: { ETag?: string | undefined; LastModified?: Date | undefined },
): ObjectInfo {
  return { key, size, etag: quoted(ETag), modified: LastModified?.getTime() ?? Number.NaN };
}
