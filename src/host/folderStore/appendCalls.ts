import { sha256 } from '../../base/sha256.ts';
import { quoted } from '../../store/s3/s3Xml.ts';
import { type Call, tagOf } from './call.ts';
import { hashOf, lengthOf } from './objectCalls.ts';
import { S3Refusal } from './s3Refusal.ts';
import type { Part } from './uploads.ts';
import { answerXml, namedXml } from './xml.ts';

/**
 * A multipart upload as our own clients make it (`store/s3/appendByCopy`): parts that are copies of the object itself, then at most one
 * of new bytes, and the end on the condition that the object is still the same. That is an append, and the folder can do that.
 */
const MAX_TAIL_BYTES = 32 * 2 ** 20;

export function createUpload({ bucket, key, uploads, holder, response }: Call): void {
  const id = uploads.create(holder, bucket, key);
  answerXml(response, namedXml('InitiateMultipartUploadResult', { Bucket: bucket, Key: key, UploadId: id }));
}

export async function copyPart(call: Call, id: string, from: string): Promise<void> {
  const { bucket, key, store, uploads, request, response, signal } = call;
  const upload = uploads.of(id, bucket, key);
  if (from !== key) throw new S3Refusal(501, 'NotImplemented', 'parts are copied of the object itself');
  const [, start, last] =
    /^bytes=(\d{1,15})-(\d{1,15})$/.exec(String(request.headers['x-amz-copy-source-range'])) ?? [];
  const base = await store.head(key, { signal });
  const asked = tagOf(request.headers['x-amz-copy-source-if-match']);
  if (start === undefined || Number(last) >= base.size) throw new S3Refusal(416, 'InvalidRange');
  if (asked !== base.etag) throw new S3Refusal(412, 'PreconditionFailed');
  uploads.add(upload, numberOf(call), { type: 'copy', base, start: Number(start), end: Number(last) + 1 });
  answerXml(response, namedXml('CopyPartResult', { ETag: quoted(base.etag) }));
}

export async function uploadPart(call: Call, id: string): Promise<void> {
  const { bucket, key, uploads, request, response } = call;
  const upload = uploads.of(id, bucket, key);
  const length = lengthOf(request.headers['content-length'], MAX_TAIL_BYTES);
  const expected = hashOf(request.headers['x-amz-content-sha256']);
  const bytes = await readBody(request, length);
  const hash = sha256(bytes);
  if (hash !== expected) throw new S3Refusal(400, 'XAmzContentSHA256Mismatch');
  uploads.add(upload, numberOf(call), { type: 'bytes', bytes });
  response.writeHead(200, { etag: quoted(hash) }).end();
}

/** Nothing of it is seen before, and it is the object that was copied from. */
export async function completeUpload(call: Call, id: string): Promise<void> {
  const { bucket, key, store, uploads, request, response, signal } = call;
  const upload = uploads.of(id, bucket, key);
  await readBody(request, lengthOf(request.headers['content-length'], 4 * 2 ** 20));
  const parts = [...upload.parts].sort(([a], [b]) => a - b).map(([, part]) => part);
  const base = baseOf(parts);
  const tail = Buffer.concat(parts.flatMap((part) => (part.type === 'bytes' ? [part.bytes] : [])));
  if (tagOf(request.headers['if-match']) !== base.etag) throw new S3Refusal(412, 'PreconditionFailed');
  await call.admit(tail.length);
  const { etag } = await store.append(key, base, tail, { signal });
  uploads.remove(id);
  answerXml(
    response,
    namedXml('CompleteMultipartUploadResult', { Bucket: bucket, Key: key, ETag: quoted(etag) }),
  );
}

/** Copies that make the whole object, and nothing but bytes after them. */
function baseOf(parts: readonly Part[]) {
  const copies = parts.filter((part) => part.type === 'copy');
  const base = copies[0]?.base;
  const isFirst = copies.every((part, index) => parts[index] === part);
  const isWhole = copies.every(
    (part, index) => part.base.etag === base?.etag && part.start === (copies[index - 1]?.end ?? 0),
  );
  if (base === undefined || !isFirst || !isWhole || copies.at(-1)?.end !== base.size)
    throw new S3Refusal(501, 'NotImplemented', 'an upload of parts appends to the object itself');
  return base;
}

export function abortUpload({ bucket, key, uploads, response }: Call, id: string): void {
  uploads.of(id, bucket, key);
  uploads.remove(id);
  response.writeHead(204).end();
}

function numberOf({ query }: Call): number {
  const number = Number(query.get('partNumber'));
  if (Number.isInteger(number) && number >= 1 && number <= 10_000) return number;
  throw new S3Refusal(400, 'InvalidArgument');
}

export async function readBody(request: Call['request'], most: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += (chunk as Buffer).length;
    if (length > most) throw new S3Refusal(400, 'EntityTooLarge');
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}
