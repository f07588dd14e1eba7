import type { ServerResponse } from 'node:http';
import type { ObjectInfo } from '../../store/objectStore.ts';
import { encodeQueryPart } from '../../store/s3/encodePath.ts';
import { escapeXml, quoted } from '../../store/s3/s3Xml.ts';
import type { TimedKeys } from '../../store/s3/sealedKeys.ts';
import type { S3Refusal } from './s3Refusal.ts';

const HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n';

export function answerXml(response: ServerResponse, text: string): void {
  response.writeHead(200, { 'content-type': 'application/xml' }).end(text);
}

const named = (element: string, text: string): string => `<${element}>${escapeXml(text)}</${element}>`;

export function errorXml({ code, message }: S3Refusal): string {
  return namedXml('Error', { Code: code, Message: message });
}

/** `next`: the key to go on after; undefined on the last page. Keys are as `encoding-type=url` asks for. */
export function listXml(
  bucket: string,
  prefix: string,
  objects: readonly ObjectInfo[],
  next: string | undefined,
): string {
  const contents = objects.map(
    ({ key, size, etag, modified }) =>
      `<Contents><Key>${encodeQueryPart(key)}</Key><LastModified>${new Date(modified).toISOString()}</LastModified>` +
      `<ETag>${escapeXml(quoted(etag))}</ETag><Size>${size}</Size><StorageClass>STANDARD</StorageClass></Contents>`,
  );
  const more =
    next === undefined ? '' : `<NextContinuationToken>${encodeURIComponent(next)}</NextContinuationToken>`;
  return (
    `${HEAD}<ListBucketResult><Name>${escapeXml(bucket)}</Name><Prefix>${encodeQueryPart(prefix)}</Prefix>` +
    `<EncodingType>url</EncodingType><KeyCount>${objects.length}</KeyCount><MaxKeys>1000</MaxKeys>` +
    `<IsTruncated>${next !== undefined}</IsTruncated>${more}${contents.join('')}</ListBucketResult>`
  );
}

export function keysXml({ accessKey, secretKey, sessionToken, expiresAt }: TimedKeys): string {
  return (
    `${HEAD}<AssumeRoleResponse><AssumeRoleResult><Credentials>${named('AccessKeyId', accessKey.reveal())}` +
    `${named('SecretAccessKey', secretKey.reveal())}${named('SessionToken', sessionToken?.reveal() ?? '')}` +
    `${named('Expiration', new Date(expiresAt).toISOString())}</Credentials></AssumeRoleResult></AssumeRoleResponse>`
  );
}

export function uploadsXml(
  bucket: string,
  uploads: readonly { readonly key: string; readonly id: string }[],
): string {
  const all = uploads.map(
    ({ key, id }) => `<Upload><Key>${encodeQueryPart(key)}</Key><UploadId>${id}</UploadId></Upload>`,
  );
  return `${HEAD}<ListMultipartUploadsResult><Bucket>${escapeXml(bucket)}</Bucket>${all.join('')}</ListMultipartUploadsResult>`;
}

/** An answer that only names things. */
export function namedXml(element: string, values: Readonly<Record<string, string>>): string {
  const inside = Object.entries(values).map(([name, text]) => named(name, text));
  return `${HEAD}<${element}>${inside.join('')}</${element}>`;
}
