import type { IncomingHttpHeaders } from 'node:http';
import { RuntimeError } from '../../base/errors.ts';
import type { ObjectInfo } from '../objectStore.ts';

/**
 * Whether a refusal without a code of S3's has what only a web server's has: a text or a page, and no header of a store's. An answer to
 * HEAD has no text, and stores call it what they like: of those only a page tells.
 */
export function isForeign(headers: IncomingHttpHeaders, text: string): boolean {
  return (text !== '' || isHtml(headers)) && !hasStoreHeader(headers);
}

function isHtml(headers: IncomingHttpHeaders): boolean {
  return /^text\/html/.test(headers['content-type'] ?? '');
}

function hasStoreHeader(headers: IncomingHttpHeaders): boolean {
  return Object.keys(headers).some((name) => name.startsWith('x-amz-'));
}

/** Throws `unavailable` when an answer of success cannot have come from a store, or came through a proxy that makes it useless. */
export function requireStore(headers: IncomingHttpHeaders, op: string, path: string): void {
  const isPage = isHtml(headers) && !hasStoreHeader(headers);
  if (headers.etag && !isPage) return;
  const what = isPage ? 'the answer is a web page' : 'an answer without an ETag';
  throw new RuntimeError('unavailable', `${path}: ${what}`, {
    op,
    path,
    hint: isPage
      ? 'Check MINIO_ENDPOINT: a portal or a web server answers there, and no store.'
      : 'Nothing can be written on a condition. A proxy in front of the store takes the ETag out of its answers: let it through.',
  });
}

export interface AnsweredObject {
  /** For messages. */
  readonly path: string;
  /** Bytes; NaN: the answer does not say it. */
  readonly size: number;
  readonly etag: string;
  /** Its Content-Encoding. */
  readonly encoding: string | undefined;
  /** Asks the store for the object. */
  readonly stored: () => Promise<Pick<ObjectInfo, 'size' | 'etag'>>;
}

/**
 * Resolves with the length of the object in bytes. Throws `unavailable` when a proxy has made another answer to a GET of the store's. Of an answer
 * in chunks, which says no length, nobody could tell the end from a connection that broke: what the store says of the object is its length.
 */
export async function requireAsStored(answer: AnsweredObject): Promise<number> {
  const { path, size, etag, encoding = '', stored } = answer;
  const isAsItIs = /^(identity|aws-chunked)?$/.test(encoding);
  const isKnown = Number.isSafeInteger(size);
  if (isKnown && isAsItIs) return size;
  if (!isKnown && !isAsItIs) throw recoded(path, 'an answer without a length');
  const object = await stored();
  if (!isKnown) {
    if (!Number.isSafeInteger(object.size)) throw recoded(path, 'an answer without a length');
    requireTag(object.etag, etag, path);
    return object.size;
  }
  // An object may have been stored so. Of one that was packed on its way, another length is known.
  if (size === object.size) return size;
  throw recoded(path, `an answer that was packed on its way (${encoding})`);
}

/**
 * Throws `conflict` when an answer to a request for one object, by its tag, is of another: a gateway that ignores the condition, or the
 * answer to somebody else's request. The rest of a body that broke off would be another object's.
 */
export function requireTag(etag: string, ifMatch: string | undefined, path: string): void {
  if (ifMatch === undefined || etag === ifMatch) return;
  throw new RuntimeError('conflict', `${path}: the object is another by now`, { op: 'store.get', path });
}

/** Throws `unavailable` when an answer to a request for a range begins elsewhere: its bytes would be taken for others. */
export function requireStart(contentRange: string | undefined, start: number, path: string): void {
  const first = /^bytes (\d+)-/.exec(contentRange ?? '')?.[1];
  if (first === undefined || Number(first) === start) return;
  throw new RuntimeError('unavailable', `${path}: bytes from ${first} on instead of ${start}`, {
    op: 'store.get',
    path,
    retryable: true,
    hint: 'A proxy in front of the store answers from a cache of its own: turn that off for the store.',
  });
}

function recoded(path: string, what: string): RuntimeError {
  return new RuntimeError('unavailable', `${path}: ${what}`, {
    op: 'store.get',
    path,
    hint: 'A proxy in front of the store recodes its answers: turn that off for the store.',
  });
}
