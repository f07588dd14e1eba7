import type { ObjectInfo } from '../../store/objectStore.ts';
import type { Call } from './call.ts';
import { S3Refusal } from './s3Refusal.ts';
import { answerXml, listXml, uploadsXml } from './xml.ts';

const PAGE = 1000;

export async function listObjects({ bucket, query, store, response, signal }: Call): Promise<void> {
  if (query.get('list-type') !== '2' || query.get('encoding-type') !== 'url')
    throw new S3Refusal(501, 'NotImplemented', 'listings are of type 2 and URL-encoded');
  const prefix = query.get('prefix') ?? '';
  const token = query.get('continuation-token');
  const startAfter = token === null ? (query.get('start-after') ?? undefined) : decodeURIComponent(token);
  const page: ObjectInfo[] = [];
  let isMore = false;
  for await (const info of store.list(prefix, { startAfter, signal })) {
    isMore = page.length === PAGE;
    if (isMore) break;
    page.push(info);
  }
  const text = listXml(bucket, prefix, page, isMore ? page.at(-1)?.key : undefined);
  answerXml(response, text);
}

export function listUploads({ bucket, query, uploads, response }: Call): void {
  const text = uploadsXml(bucket, uploads.list(bucket, query.get('prefix') ?? ''));
  answerXml(response, text);
}
