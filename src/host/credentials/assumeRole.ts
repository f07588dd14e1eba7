import { Agent, request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest, Agent as SecureAgent } from 'node:https';
import aws4 from 'aws4';
import type { Clock } from '../../base/clock.ts';
import { RuntimeError } from '../../base/errors.ts';
import { Secret } from '../../base/secret.ts';
import { exchange } from '../../store/s3/httpExchange.ts';
import { networkError } from '../../store/s3/networkError.ts';
import { textOf } from '../../store/s3/s3Xml.ts';
import type { TimedKeys } from '../../store/s3/sealedKeys.ts';
import type { StoreConfig } from '../../store/storeConfig.ts';

type S3Config = Extract<StoreConfig, { type: 's3' }>;

const LONGEST_ANSWER_BYTES = 64 * 1024;
/** How stores without it answer. */
const noSuchAction = new Set([
  'NotImplemented',
  'MethodNotAllowed',
  'InvalidAction',
  'UnknownOperationException',
]);
const CONNECT_MS = 5_000;
const IDLE_MS = 10_000;

export interface AssumeRole {
  readonly store: S3Config;
  /** JSON: what of our own rights the new keys have. */
  readonly policy: string;
  readonly durationMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Keys for a time, with a part of our own rights (STS AssumeRole, as MinIO has it at the store's own address).
 * Errors: `refused`: this store has no STS; `denied`: not with our keys; `config`: not this policy or time; `unavailable`.
 */
export async function assumeRole(options: AssumeRole): Promise<TimedKeys> {
  const { store, clock, signal } = options;
  const url = new URL(store.endpoint);
  const subject = `STS at ${url.host}`;
  const body = Buffer.from(
    new URLSearchParams({
      Action: 'AssumeRole',
      Version: '2011-06-15',
      DurationSeconds: String(Math.round(options.durationMs / 1000)),
      Policy: options.policy,
    }).toString(),
  );
  const headers = {
    host: url.host,
    'content-type': 'application/x-www-form-urlencoded',
    'content-length': String(body.length),
    'x-amz-date': new Date(clock.now()).toISOString().replace(/[:-]|\.\d{3}/g, ''),
  };
  const signed = aws4.sign(
    { service: 'sts', region: store.region, method: 'POST', path: '/', headers, body: body.toString() },
    { accessKeyId: store.accessKey.reveal(), secretAccessKey: store.secretKey.reveal() },
  );
  const to: RequestOptions = {
    method: 'POST',
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port,
    path: '/',
    headers: signed.headers ?? headers,
    signal,
  };
  try {
    const secure = url.protocol === 'https:';
    const outgoing = secure
      ? httpsRequest({ ...to, agent: new SecureAgent() })
      : httpRequest({ ...to, agent: new Agent() });
    const response = await exchange(outgoing, {
      key: subject,
      body,
      connectMs: CONNECT_MS,
      idleMs: IDLE_MS,
      signal,
    });
    let text = '';
    for await (const chunk of response) {
      text += chunk;
      if (text.length > LONGEST_ANSWER_BYTES) throw new Error('the answer is too long');
    }
    if (response.statusCode === 200) return readKeys(text, subject);
    throw refusal(response.statusCode ?? 0, textOf(text, 'Code'), subject);
  } catch (error) {
    signal.throwIfAborted();
    throw networkError(error, 'sts.assumeRole', subject);
  }
}

function readKeys(text: string, subject: string): TimedKeys {
  const accessKey = textOf(text, 'AccessKeyId');
  const secretKey = textOf(text, 'SecretAccessKey');
  const sessionToken = textOf(text, 'SessionToken');
  const expiresAt = Date.parse(textOf(text, 'Expiration') ?? '');
  if (!accessKey || !secretKey || !sessionToken || Number.isNaN(expiresAt))
    throw new RuntimeError('config', `${subject}: not an answer of STS`, { op: 'sts.assumeRole' });
  return {
    accessKey: new Secret(accessKey),
    secretKey: new Secret(secretKey),
    sessionToken: new Secret(sessionToken),
    expiresAt,
  };
}

function refusal(status: number, code: string | undefined, subject: string): RuntimeError {
  const message = `${subject}: ${code ?? `status ${status}`}`;
  if (status === 429 || (status >= 500 && status !== 501))
    return new RuntimeError('unavailable', message, { op: 'sts.assumeRole', retryable: true });
  const wrongKeys = /^(InvalidClientTokenId|InvalidAccessKeyId|SignatureDoesNotMatch|RequestTimeTooSkewed)$/;
  if (wrongKeys.test(code ?? ''))
    return new RuntimeError('denied', message, {
      op: 'sts.assumeRole',
      hint: 'Check MINIO_ACCESS_KEY and MINIO_SECRET_KEY, and the clock of this machine.',
    });
  // Nothing but these: whoever gets `refused` hands out keys that are not narrowed.
  const absent = [404, 405, 501].includes(status) || noSuchAction.has(code ?? '');
  return new RuntimeError(absent ? 'refused' : 'config', message, { op: 'sts.assumeRole' });
}
