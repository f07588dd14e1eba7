import aws4 from 'aws4';
import { expect, test } from 'vitest';
import { Secret } from '../../../../src/base/secret.ts';
import { createSigner, type Unsigned } from '../../../../src/store/s3/createSigner.ts';

const keys = {
  accessKey: new Secret('AKIAIOSFODNN7EXAMPLE'),
  secretKey: new Secret('wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'),
  sessionToken: undefined,
};
const empty = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const dated = { 'x-amz-date': '20130524T000000Z', 'x-amz-content-sha256': empty };
const host = 'examplebucket.s3.amazonaws.com';

const requests: Record<string, Unsigned> = {
  get: { method: 'GET', path: '/test.txt', query: '', headers: { host, ...dated } },
  list: {
    method: 'GET',
    path: '/bucket',
    query: 'encoding-type=url&list-type=2&prefix=a%2Fb%20c',
    headers: { host, ...dated },
  },
  'an odd key': {
    method: 'PUT',
    path: '/bucket/a%20b/%C3%BC%21%28%29',
    query: '',
    headers: { host, ...dated },
  },
  conditions: {
    method: 'PUT',
    path: '/bucket/head',
    query: '',
    headers: {
      host,
      'content-type': 'a/b',
      'content-length': '7',
      'if-none-match': '*',
      'if-match': '"x  y"',
      ...dated,
    },
  },
  'a range': { method: 'GET', path: '/b/k', query: '', headers: { host, range: 'bytes=0-9', ...dated } },
};

/** The library whose place it takes, which needs node:crypto. */
function reference({ method, path, query, headers }: Unsigned, sessionToken?: string) {
  const { authorization, Authorization } = aws4.sign(
    {
      service: 's3',
      region: 'us-east-1',
      method,
      path: query ? `${path}?${query}` : path,
      headers: { ...headers },
    },
    {
      accessKeyId: keys.accessKey.reveal(),
      secretAccessKey: keys.secretKey.reveal(),
      ...(sessionToken && { sessionToken }),
    },
  ).headers as Record<string, string>;
  return authorization ?? Authorization;
}

test.each(Object.entries(requests))('signs as AWS does: %s', (_, request) => {
  expect(createSigner('us-east-1')(request, keys).authorization).toBe(reference(request));
});

test('a range is not signed: proxies change it', () => {
  const { authorization } = createSigner('us-east-1')(requests['a range']!, keys);
  expect(authorization).toContain('SignedHeaders=host;x-amz-content-sha256;x-amz-date,');
});

test('a session token is sent, and signed', () => {
  const signed = createSigner('us-east-1')(requests.get!, { ...keys, sessionToken: new Secret('a/token') });
  expect(signed['x-amz-security-token']).toBe('a/token');
  expect(signed.authorization?.toLowerCase()).toBe(reference(requests.get!, 'a/token')?.toLowerCase());
});

test('one signer, other keys and other days', () => {
  const sign = createSigner('us-east-1');
  const later = { ...requests.get!, headers: { ...requests.get!.headers, 'x-amz-date': '20130525T000000Z' } };
  const first = sign(requests.get!, keys).authorization;
  expect(sign(later, keys).authorization).toBe(reference(later));
  const others = { ...keys, secretKey: new Secret('another') };
  expect(sign(requests.get!, others).authorization).not.toBe(first);
  expect(sign(requests.get!, keys).authorization).toBe(first);
});
