import type { IncomingHttpHeaders } from 'node:http';
import aws4 from 'aws4';
import { S3Refusal } from './s3Refusal.ts';
import { type Holder, holderOf, isSame, type StoreKeys } from './sessionKeys.ts';

const LONGEST_SKEW_MS = 15 * 60_000;

export interface SignedRequest {
  readonly method: string;
  /** As it was sent, with its query. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  /** Of STS, which signs it; S3 signs its hash, in a header. */
  readonly body?: string;
}

/** Who has sent a request (AWS signature 4, in the Authorization header): it is signed anew and compared. Throws as S3 does. */
export function checkSignature(request: SignedRequest, root: StoreKeys, now: number): Holder {
  const { method, target, headers, body } = request;
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/,\s]+)\/(\d{8})\/([^/,\s]+)\/(s3|sts)\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$/.exec(
      headers.authorization ?? '',
    );
  if (match === null) throw new S3Refusal(403, 'AccessDenied', 'not signed with AWS signature 4');
  const [, accessKey = '', , region = '', service = '', names = ''] = match;
  const signed = names.split(';');
  const date = String(headers['x-amz-date'] ?? '');
  const sentAt = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  if (!(Math.abs(sentAt - now) <= LONGEST_SKEW_MS)) throw new S3Refusal(403, 'RequestTimeTooSkewed');
  if (!signed.includes('host') || !signed.includes('x-amz-date'))
    throw new S3Refusal(403, 'AccessDenied', 'host and x-amz-date are not signed');
  // What decides must be what was signed.
  const decides = Object.keys(headers).filter(
    (name) => name.startsWith('x-amz-') || name === 'if-match' || name === 'if-none-match',
  );
  if (decides.some((name) => !signed.includes(name)))
    throw new S3Refusal(403, 'AccessDenied', 'there are headers that are not signed');
  const token = headers['x-amz-security-token'];
  const holder = holderOf(root, accessKey, token === undefined ? undefined : String(token), now);
  const own = Object.fromEntries(signed.map((name) => [name, String(headers[name] ?? '')]));
  const again = aws4.sign(
    { service, region, method, path: target, headers: own, ...(body !== undefined && { body }) },
    { accessKeyId: accessKey, secretAccessKey: holder.secretKey.reveal() },
  );
  const expected = String(again.headers?.Authorization ?? '').split('Signature=')[1] ?? '';
  if (!isSame(match[6] ?? '', expected)) throw new S3Refusal(403, 'SignatureDoesNotMatch');
  return holder;
}
