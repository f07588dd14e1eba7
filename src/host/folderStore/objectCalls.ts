import { pipeline } from 'node:stream/promises';
import type { ObjectInfo } from '../../store/objectStore.ts';
import { quoted } from '../../store/s3/s3Xml.ts';
import { type Call, tagOf } from './call.ts';
import { S3Refusal } from './s3Refusal.ts';
import { answerXml, namedXml } from './xml.ts';

const MAX_BYTES = 5 * 2 ** 30;

function headersOf({ etag, modified, size }: ObjectInfo): Record<string, string> {
  return {
    etag: quoted(etag),
    'last-modified': new Date(modified).toUTCString(),
    'content-length': String(size),
    'content-type': 'application/octet-stream',
    'accept-ranges': 'bytes',
  };
}

export async function headObject({ key, store, request, response, signal }: Call): Promise<void> {
  const checksum = request.headers['x-amz-checksum-mode'] === 'ENABLED';
  const info = await store.head(key, { signal, checksum });
  const sha256 = info.sha256 && Buffer.from(info.sha256, 'hex').toString('base64');
  response.writeHead(200, { ...headersOf(info), ...(sha256 && { 'x-amz-checksum-sha256': sha256 }) }).end();
}

export async function getObject({ key, store, request, response, signal }: Call): Promise<void> {
  const range = rangeOf(request.headers.range);
  const ifMatch = tagOf(request.headers['if-match']);
  const object = await store.get(key, { signal, range, ifMatch });
  // Of a reader that has gone by now nothing takes the body, and a file that nobody closes ends the process.
  using _closed = { [Symbol.dispose]: () => object.body.destroy() };
  const end = Math.min(object.size, range?.end ?? object.size);
  const part = range && {
    'content-length': String(end - range.start),
    'content-range': `bytes ${range.start}-${end - 1}/${object.size}`,
  };
  response.writeHead(range ? 206 : 200, { ...headersOf(object), ...part });
  await pipeline(object.body, response, { signal });
}

/** `bytes=0-9`, both ends said: what our own clients ask for. */
function rangeOf(header: string | undefined): { start: number; end: number } | undefined {
  if (header === undefined) return undefined;
  const [, start, last] = /^bytes=(\d{1,15})-(\d{1,15})$/.exec(header) ?? [];
  if (start === undefined || Number(last) < Number(start)) throw new S3Refusal(501, 'NotImplemented');
  return { start: Number(start), end: Number(last) + 1 };
}

/** Checked against its hash as it comes; on the disk when this answers. */
export async function putObject({ key, store, admit, request, response, signal }: Call): Promise<void> {
  const { headers } = request;
  const size = lengthOf(headers['content-length'], MAX_BYTES);
  await admit(size);
  const { etag } = await store.put(
    key,
    { size, open: () => request },
    {
      signal,
      sha256: hashOf(headers['x-amz-content-sha256']),
      ifMatch: tagOf(headers['if-match']),
      ifNoneMatch: headers['if-none-match'] === '*' ? '*' : undefined,
    },
  );
  response.writeHead(200, { etag: quoted(etag) }).end();
}

export async function copyObject(call: Call, from: string): Promise<void> {
  await call.admit((await call.store.head(from, { signal: call.signal })).size);
  await call.store.copy(from, call.key, { signal: call.signal });
  const { etag, modified } = await call.store.head(call.key, { signal: call.signal });
  const text = namedXml('CopyObjectResult', {
    ETag: quoted(etag),
    LastModified: new Date(modified).toISOString(),
  });
  answerXml(call.response, text);
}

export async function deleteObject({ key, store, response, signal }: Call): Promise<void> {
  await store.delete(key, { signal });
  response.writeHead(204).end();
}

export function lengthOf(header: string | undefined, most: number): number {
  if (header === undefined || !/^\d{1,15}$/.test(header)) throw new S3Refusal(411, 'MissingContentLength');
  if (Number(header) > most) throw new S3Refusal(400, 'EntityTooLarge');
  return Number(header);
}

/** Hex; bodies that are not signed whole are not taken. */
export function hashOf(header: string | string[] | undefined): string {
  if (typeof header === 'string' && /^[0-9a-f]{64}$/.test(header)) return header;
  throw new S3Refusal(501, 'NotImplemented', 'only bodies with their SHA-256 in x-amz-content-sha256');
}
