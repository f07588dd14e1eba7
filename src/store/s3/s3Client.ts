import type { Clock } from '../../base/clock.ts';
import { isRuntimeError, RuntimeError } from '../../base/errors.ts';
import { readWhole } from '../../base/httpAnswer.ts';
import type { Memory, ObjectBody } from '../objectStore.ts';
import { sha256Of, sizeOf } from '../sha256.ts';
import type { S3Access } from '../storeConfig.ts';
import { createConditional } from './conditional.ts';
import { createSigner, type RequestHeaders } from './createSigner.ts';
import { encodePath, encodeQueryPart } from './encodePath.ts';
import { networkError } from './networkError.ts';
import type { StoreAnswer } from './plain/plainAnswer.ts';
import { keySource } from './renewedKeys.ts';
import { isForeign } from './requireStore.ts';
import { parseRetryAfter, s3Error } from './s3Errors.ts';
import { textOf } from './s3Xml.ts';
import { storeTime } from './storeTime.ts';
import { openTransport, type Transport } from './transport.ts';

export interface S3ClientOptions extends S3Access {
  readonly bucket: string;
  readonly clock: Clock;
  /** Milliseconds. */
  readonly connectMs: number;
  /** Milliseconds in which not one byte moves. */
  readonly idleMs: number;
}

export interface S3Request {
  /** For errors: `store.get`. */
  readonly op: string;
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  /** Undefined: the bucket itself. */
  readonly key?: string | undefined;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: RequestHeaders;
  readonly body?: ObjectBody;
  /** Hex, of the body. */
  readonly sha256?: string | undefined;
  /** Where the answer's body may be put, from its start. */
  readonly into?: Memory | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Any answer is good, and none of our credentials are needed for it. */
  readonly anonymous?: boolean;
}

export interface S3Client {
  readonly host: string;
  /** Resolves with an answer of success, its body not yet read. */
  send(request: S3Request): Promise<StoreAnswer>;
  /** The same with the body read. */
  sendForText(request: S3Request): Promise<{ readonly text: string; readonly response: StoreAnswer }>;
  subject(key: string | undefined): string;
  close(): void;
}

/** Listings of 1,000 long keys stay below this. Bytes. */
const MAX_TEXT_BYTES = 8 * 1024 * 1024;

export function createS3Client(options: S3ClientOptions): S3Client {
  const url = new URL(options.endpoint);
  const { bucket, clock, region } = options;
  const keys = keySource(options, clock);
  const sign = createSigner(region);
  const time = storeTime(clock);
  let transport: Transport | undefined;
  const subject = (key: string | undefined) =>
    `${bucket}${key === undefined ? '' : `/${key}`} at ${url.host}`;

  const conditionally = createConditional();
  const send = async (request: S3Request): Promise<StoreAnswer> => {
    const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch, ...others } = request.headers ?? {};
    if (request.method === 'GET' || (ifMatch ?? ifNoneMatch) === undefined) return await sendOnce(request);
    return await conditionally((has) => sendOnce(has ? request : { ...request, headers: others }));
  };

  const sendOnce = async (request: S3Request, isCorrected = false): Promise<StoreAnswer> => {
    const { op, method, key, signal, body, into } = request;
    signal?.throwIfAborted();
    transport ??= openTransport({ url, ...options });
    // Kept: while a body is hashed, `close` may come.
    const { exchange } = transport;
    const sha256 =
      request.sha256 ?? (await sha256Of(body ?? new Uint8Array(), { key: subject(key), signal }));
    const path = `/${bucket}${key === undefined ? '' : `/${encodePath(key)}`}`;
    const query = encodeQuery(request.query);
    const signedAt = time.now();
    const headers: RequestHeaders = {
      host: url.host,
      ...request.headers,
      ...(body && { 'content-length': String(sizeOf(body)) }),
      'x-amz-content-sha256': sha256,
      'x-amz-date': new Date(signedAt).toISOString().replace(/[:-]|\.\d{3}/g, ''),
    };
    const signed = request.anonymous
      ? { host: url.host }
      : sign({ method, path, query, headers }, keys.current());
    try {
      const response = await exchange({
        method,
        path: query === '' ? path : `${path}?${query}`,
        headers: signed,
        body,
        into,
        signal,
        key: subject(key),
      });
      if (request.anonymous) return response;
      if ((response.statusCode ?? 0) < 300) {
        time.wasRight();
        return response;
      }
      const refused = await refusal(response, op, subject(key));
      if (!isRuntimeError(refused, 'denied')) throw refused;
      if (!isCorrected && time.correct(response.headers.date, signedAt)) return await sendOnce(request, true);
      if (!keys.refused()) throw refused;
      throw new RuntimeError('unavailable', `${refused.message}: with keys that have since been renewed`, {
        op,
        path: subject(key),
        retryable: true,
      });
    } catch (error) {
      signal?.throwIfAborted();
      throw networkError(error, op, subject(key));
    }
  };

  const sendForText = async (request: S3Request) => {
    const response = await send(request);
    try {
      const text = await readWhole(response, MAX_TEXT_BYTES);
      // A copy or the end of a multipart upload may fail after its status has been sent.
      const code = /^\s*(<\?xml[^>]*>\s*)?<Error>/.test(text) ? textOf(text, 'Code') : undefined;
      if (code === undefined) return { text, response };
      const status = code === 'PreconditionFailed' ? 412 : 500;
      throw s3Error({ op: request.op, subject: subject(request.key), status, code, retryAfterMs: undefined });
    } catch (error) {
      request.signal?.throwIfAborted();
      throw networkError(error, request.op, subject(request.key));
    }
  };

  return {
    host: url.host,
    send,
    sendForText,
    subject,
    close() {
      transport?.close();
      transport = undefined;
    },
  };
}

async function refusal(response: StoreAnswer, op: string, subject: string): Promise<Error> {
  const text = await readWhole(response, MAX_TEXT_BYTES);
  const { headers } = response;
  // Answers to HEAD have no body; MinIO says it in a header.
  const code = textOf(text, 'Code') ?? headers['x-minio-error-code']?.toString();
  return s3Error({
    op,
    subject,
    status: response.statusCode ?? 0,
    code,
    foreign: code === undefined && isForeign(headers, text),
    retryAfterMs: parseRetryAfter(headers['retry-after'], headers.date),
  });
}

/** Sorted by name, as signatures are made over it. */
function encodeQuery(query: Readonly<Record<string, string>> = {}): string {
  const names = Object.keys(query).sort();
  return names.map((name) => `${encodeQueryPart(name)}=${encodeQueryPart(query[name]!)}`).join('&');
}
