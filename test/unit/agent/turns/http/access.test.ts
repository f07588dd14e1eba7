import type { IncomingMessage } from 'node:http';
import { hostname } from 'node:os';
import { expect, test } from 'vitest';
import { accessCheck } from '../../../../../src/agent/turns/http/access.ts';
import { Secret } from '../../../../../src/base/secret.ts';

const from = (remoteAddress: string, headers: Record<string, string> = {}) =>
  ({ headers, socket: { remoteAddress } }) as unknown as IncomingMessage;

test('without a token this machine is served, and pages of it', () => {
  const check = accessCheck(undefined);
  for (const address of ['127.0.0.1', '::ffff:127.0.0.1', '::1']) check(from(address));
  for (const origin of ['http://localhost:3000', 'http://127.0.0.1:9476', 'http://[::1]:9476']) {
    check(from('127.0.0.1', { origin }));
  }
  for (const host of [
    'localhost:9476',
    '127.0.0.1:9476',
    '[::1]:9476',
    '[::1]',
    '',
    hostname(),
    'agent',
    'host.docker.internal:9476',
  ])
    check(from('127.0.0.1', { host }));
});

test.each([
  ['10.0.0.1', {}],
  ['127.0.0.1', { origin: 'https://site.example' }],
  // One whose name its owner lets mean this machine.
  ['127.0.0.1', { origin: 'http://127.site.example:9476', host: '127.site.example:9476' }],
  ['127.0.0.1', { origin: 'null' }],
  // What such a page reads comes without an origin.
  ['127.0.0.1', { host: 'site.example:9476' }],
  ['127.0.0.1', { host: '127.site.example' }],
])('without a token %s %j is refused', (address, headers) => {
  expect(() => accessCheck(undefined)(from(address, headers))).toThrow(
    expect.objectContaining({ status: 403, code: 'forbidden' }),
  );
});

test('with a token it alone counts', () => {
  const check = accessCheck(new Secret('sesame'));
  check(from('10.0.0.1', { authorization: 'Bearer sesame', origin: 'https://site.example' }));
  expect(() => check(from('127.0.0.1'))).toThrow(expect.objectContaining({ status: 401 }));
});
