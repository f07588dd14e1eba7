import type { S3Client } from '@aws-sdk/client-s3';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '../../base/parts/aws.ts';
import { encodePath } from '../s3/encodePath.ts';
import type { MultipartCalls } from '../s3/multipartCalls.ts';
import { decodeKey, quoted } from '../s3/s3Xml.ts';
import { abortable } from './awsClient.ts';

/** `guard` tells an error in the words of the store. */
export function awsMultipart(
  client: S3Client,
  bucket: string,
  key: string,
  guard: <T>(call: Promise<T>, signal: AbortSignal | undefined) => Promise<T>,
): MultipartCalls {
  const object = { Bucket: bucket, Key: key };
  return {
    async create({ signal }) {
      const call = client.send(new CreateMultipartUploadCommand(object), abortable(signal));
      return (await guard(call, signal)).UploadId ?? '';
    },
    async copyPart(UploadId, PartNumber, { start, end }, CopySourceIfMatch, { signal }) {
      const command = new UploadPartCopyCommand({
        ...object,
        UploadId,
        PartNumber,
        CopySource: `${bucket}/${encodePath(key)}`,
        CopySourceIfMatch,
        CopySourceRange: `bytes=${start}-${end - 1}`,
      });
      const { CopyPartResult } = await guard(client.send(command, abortable(signal)), signal);
      return quoted(CopyPartResult?.ETag ?? '');
    },
    async uploadPart(UploadId, PartNumber, Body, { signal }) {
      const command = new UploadPartCommand({ ...object, UploadId, PartNumber, Body });
      const { ETag = '' } = await guard(client.send(command, abortable(signal)), signal);
      return quoted(ETag);
    },
    async complete(UploadId, tags, IfMatch, { signal }) {
      const Parts = tags.map((ETag, index) => ({ ETag, PartNumber: index + 1 }));
      const MultipartUpload = { Parts };
      const command = new CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload, IfMatch });
      const { ETag = '' } = await guard(client.send(command, abortable(signal)), signal);
      return quoted(ETag);
    },
    async abort(upload, { signal }) {
      const command = new AbortMultipartUploadCommand({
        Bucket: bucket,
        Key: upload.key,
        UploadId: upload.id,
      });
      await guard(client.send(command, abortable(signal)), signal);
    },
    async list(Prefix, { signal }) {
      const command = new ListMultipartUploadsCommand({ Bucket: bucket, Prefix, EncodingType: 'url' });
      const { Uploads = [] } = await guard(client.send(command, abortable(signal)), signal);
      return Uploads.map(({ Key = '', UploadId = '' }) => ({ key: decodeKey(Key), id: UploadId }));
    },
  };
}
