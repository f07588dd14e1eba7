import { hash } from 'node:crypto';
import { RuntimeError } from '../../base/errors.ts';
import { encodePath } from './encodePath.ts';
import type { MultipartCalls } from './multipartCalls.ts';
import type { S3Client } from './s3Client.ts';
import { decodeKey, escapeXml, quoted, textOf } from './s3Xml.ts';

const op = 'store.append';

export function s3Multipart(client: S3Client, bucket: string, key: string): MultipartCalls {
  const required = (xml: string, element: string): string => {
    const text = textOf(xml, element);
    if (text) return text;
    throw new RuntimeError('unavailable', `${client.subject(key)}: an answer without ${element}`, { op });
  };
  return {
    async create({ signal }) {
      const { text } = await client.sendForText({ op, method: 'POST', key, query: { uploads: '' }, signal });
      return required(text, 'UploadId');
    },
    async copyPart(uploadId, part, { start, end }, ifMatch, { signal }) {
      const { text } = await client.sendForText({
        op,
        method: 'PUT',
        key,
        query: { partNumber: `${part}`, uploadId },
        headers: {
          'x-amz-copy-source': `/${bucket}/${encodePath(key)}`,
          'x-amz-copy-source-if-match': ifMatch,
          'x-amz-copy-source-range': `bytes=${start}-${end - 1}`,
        },
        signal,
      });
      return quoted(required(text, 'ETag'));
    },
    async uploadPart(uploadId, part, body, { signal }) {
      const query = { partNumber: `${part}`, uploadId };
      // A bucket with Object Lock takes no part without: the hash of the signature is not enough for it.
      const headers = { 'content-md5': hash('md5', body, 'base64') };
      const { response } = await client.sendForText({ op, method: 'PUT', key, query, headers, body, signal });
      return quoted(response.headers.etag ?? '');
    },
    async complete(uploadId, tags, ifMatch, { signal }) {
      const parts = tags.map(
        (tag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${escapeXml(tag)}</ETag></Part>`,
      );
      const { text } = await client.sendForText({
        op,
        method: 'POST',
        key,
        query: { uploadId },
        headers: { 'if-match': ifMatch, 'content-type': 'application/xml' },
        body: Buffer.from(`<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`),
        signal,
      });
      return quoted(required(text, 'ETag'));
    },
    async abort(upload, { signal }) {
      const query = { uploadId: upload.id };
      await client.sendForText({ op, method: 'DELETE', key: upload.key, query, signal });
    },
    async list(prefix, { signal }) {
      const query = { uploads: '', 'encoding-type': 'url', prefix };
      const { text } = await client.sendForText({ op, method: 'GET', query, signal });
      return [...text.matchAll(/<Upload>(.*?)<\/Upload>/gs)].map(([, upload = '']) => ({
        key: decodeKey(required(upload, 'Key')),
        id: required(upload, 'UploadId'),
      }));
    },
  };
}
