import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { decodeKey } from '../../store/s3/s3Xml.ts';
import { allows } from './allows.ts';
import { abortUpload, completeUpload, copyPart, createUpload, uploadPart } from './appendCalls.ts';
import type { Call } from './call.ts';
import { listObjects, listUploads } from './listCalls.ts';
import { copyObject, deleteObject, getObject, headObject, putObject } from './objectCalls.ts';
import { denied, S3Refusal } from './s3Refusal.ts';
import type { Holder } from './sessionKeys.ts';

/** Does what is asked, if whoever asks may. */
export async function route(call: Call, holder: Holder, folder: string): Promise<void> {
  const { bucket, key, query, request } = call;
  const may = (action: string, more: { readonly key?: string; readonly prefix?: string } = {}) => {
    const asked = { action, bucket, key: more.key ?? (key === '' ? undefined : key), ...more };
    if (!allows(holder.policy, asked)) throw denied(`${action} on ${bucket}/${more.key ?? key}`);
  };
  const { method } = request;
  if (key === '' && method === 'PUT') {
    may('s3:CreateBucket');
    return makeBucket(call, folder);
  }
  if (!existsSync(join(folder, bucket))) throw new S3Refusal(404, 'NoSuchBucket');
  if (key === '') {
    const prefix = query.get('prefix') ?? '';
    if (method === 'HEAD') return void call.response.writeHead(200).end();
    if (method !== 'GET') throw new S3Refusal(501, 'NotImplemented');
    may(query.has('uploads') ? 's3:ListBucketMultipartUploads' : 's3:ListBucket', { prefix });
    return query.has('uploads') ? listUploads(call) : await listObjects(call);
  }
  const upload = query.get('uploadId');
  switch (method) {
    case 'HEAD':
    case 'GET':
      may('s3:GetObject');
      return method === 'HEAD' ? await headObject(call) : await getObject(call);
    case 'PUT': {
      may('s3:PutObject');
      const from = copiedFrom(request.headers['x-amz-copy-source'], bucket);
      if (from !== undefined) may('s3:GetObject', { key: from });
      if (upload === null) return from === undefined ? await putObject(call) : await copyObject(call, from);
      return from === undefined ? await uploadPart(call, upload) : await copyPart(call, upload, from);
    }
    case 'POST':
      may('s3:PutObject');
      if (query.has('uploads')) return createUpload(call);
      if (upload === null) throw new S3Refusal(501, 'NotImplemented');
      return await completeUpload(call, upload);
    case 'DELETE':
      may(upload === null ? 's3:DeleteObject' : 's3:AbortMultipartUpload');
      return upload === null ? await deleteObject(call) : abortUpload(call, upload);
    default:
      throw new S3Refusal(405, 'MethodNotAllowed');
  }
}

function makeBucket({ bucket, response }: Call, folder: string): void {
  const path = join(folder, bucket);
  if (existsSync(path)) throw new S3Refusal(409, 'BucketAlreadyOwnedByYou');
  mkdirSync(path, { mode: 0o700 });
  response.writeHead(200).end();
}

/** A key in the same bucket; undefined: nothing is copied. */
function copiedFrom(header: string | string[] | undefined, bucket: string): string | undefined {
  if (header === undefined) return undefined;
  const path = String(header).replace(/^\//, '');
  if (!path.startsWith(`${bucket}/`))
    throw new S3Refusal(501, 'NotImplemented', 'copies stay in their bucket');
  return decodeKey(path.slice(bucket.length + 1));
}
