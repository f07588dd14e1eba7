import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import type { StoreKeys } from './renewedKeys.ts';

export interface Unsigned {
  readonly method: string;
  /** Encoded (`encodePath`). */
  readonly path: string;
  /** Encoded pairs, `name=value`, sorted by name. */
  readonly query: string;
  /** Names in lower case, `host`, `x-amz-date` and `x-amz-content-sha256` among them. */
  readonly headers: RequestHeaders;
}

export type RequestHeaders = Readonly<Record<string, string>>;

/** The headers of a request with what says that these keys send it. */
export type Sign = (request: Unsigned, keys: StoreKeys) => RequestHeaders;

/** Not signed: proxies change it. */
const RANGE = 'range';

/**
 * AWS Signature Version 4 for S3. Not by a library for it: these use `node:crypto`, whose loading takes 6 ms of a start. The hashes are a
 * library's.
 */
export function createSigner(region: string): Sign {
  let known: { readonly of: string; readonly key: Uint8Array } | undefined;
  const signingKey = (secret: string, scope: readonly string[]): Uint8Array => {
    const of = `${secret} ${scope[0]}`;
    if (known?.of !== of) known = { of, key: scope.reduce(by, bytes(`AWS4${secret}`)) };
    return known.key;
  };

  return ({ method, path, query, ...request }, { accessKey, secretKey, sessionToken }) => {
    const token = sessionToken && { 'x-amz-security-token': sessionToken.reveal() };
    const headers: RequestHeaders = { ...request.headers, ...token };
    const names = Object.keys(headers).sort();
    const signed = names.filter((name) => name !== RANGE);
    const lines = signed.map((name) => `${name}:${headers[name]!.trim().replace(/\s+/g, ' ')}`);
    const { 'x-amz-date': time = '', 'x-amz-content-sha256': body = '' } = headers;
    const canonical = [method, path, query, ...lines, '', signed.join(';'), body].join('\n');
    const scope = [time.slice(0, 8), region, 's3', 'aws4_request'];
    const text = ['AWS4-HMAC-SHA256', time, scope.join('/'), hex(sha256(bytes(canonical)))].join('\n');
    const signature = hex(by(signingKey(secretKey.reveal(), scope), text));
    const credential = `${accessKey.reveal()}/${scope.join('/')}`;
    return {
      ...headers,
      authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${signed.join(';')}, Signature=${signature}`,
    };
  };
}

const by = (key: Uint8Array, text: string): Uint8Array => hmac(sha256, key, bytes(text));
const bytes = (text: string): Uint8Array => Buffer.from(text);
const hex = (hash: Uint8Array): string => Buffer.from(hash).toString('hex');
