import type { IncomingHttpHeaders } from 'node:http';
import { RuntimeError } from '../../base/errors.ts';

/** Throws `unavailable` when an answer of success cannot have come from a store, or came through a proxy that makes it useless. */
export function requireStore(headers: IncomingHttpHeaders, op: string, path: string): void {
  const isPage =
    /^text\/html/.test(headers['content-type'] ?? '') &&
    !Object.keys(headers).some((name) => name.startsWith('x-amz-'));
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

/** The error for an answer that a proxy has made another one of. */
export function recoded(path: string, what: string): RuntimeError {
  return new RuntimeError('unavailable', `${path}: ${what}`, {
    op: 'store.get',
    path,
    hint: 'A proxy in front of the store recodes its answers: turn that off for the store.',
  });
}

/** What an answer was packed with on its way; undefined: nothing that needs a look. */
export function packing(encoding: string | undefined): string | undefined {
  return encoding === undefined || /^(identity|aws-chunked)?$/.test(encoding) ? undefined : encoding;
}
