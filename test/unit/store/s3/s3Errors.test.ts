import { expect, test } from 'vitest';
import { parseRetryAfter, s3Error } from '../../../../src/store/s3/s3Errors.ts';

const failure = { op: 'store.get', subject: 'bucket/key at host', retryAfterMs: undefined };

test.each([
  [404, 'NoSuchKey', 'not-found', false],
  [404, undefined, 'not-found', false],
  [412, 'PreconditionFailed', 'conflict', false],
  [409, 'ConditionalRequestConflict', 'conflict', true],
  [403, 'InvalidAccessKeyId', 'denied', false],
  [403, 'RequestTimeTooSkewed', 'denied', false],
  [416, 'InvalidRange', 'damaged', false],
  [400, 'XAmzContentSHA256Mismatch', 'damaged', true],
  [400, 'RequestTimeout', 'unavailable', true],
  [400, 'AuthorizationHeaderMalformed', 'unavailable', false],
  [400, undefined, 'unavailable', false],
  [400, 'InvalidBucketName', 'config', false],
  [301, 'PermanentRedirect', 'unavailable', false],
  [408, undefined, 'unavailable', true],
  [425, undefined, 'unavailable', true],
  [429, undefined, 'unavailable', true],
  [500, 'InternalError', 'unavailable', true],
  [501, 'NotImplemented', 'unavailable', false],
  [502, undefined, 'unavailable', true],
  [503, 'SlowDown', 'unavailable', true],
  [504, undefined, 'unavailable', true],
])('%i %s is %s, retryable: %s', (status, code, kind, retryable) => {
  expect(s3Error({ ...failure, status, code })).toMatchObject({ code: kind, retryable });
});

test('404 of what is no store: not the word of a store that something is not there', () => {
  const listing = { ...failure, op: 'store.list', status: 404 };
  expect(s3Error({ ...listing, code: 'NoSuchBucket' })).toMatchObject({ code: 'not-found' });
  expect(s3Error({ ...listing, code: undefined })).toMatchObject({ code: 'unavailable', retryable: true });
  expect(s3Error({ ...failure, status: 404, code: undefined, foreign: true })).toMatchObject({
    code: 'unavailable',
    retryable: true,
    hint: expect.stringContaining('no store'),
  });
});

test('Retry-After is seconds or a date', () => {
  const date = 'Wed, 21 Oct 2026 07:28:00 GMT';
  expect(parseRetryAfter('3', undefined)).toBe(3000);
  expect(parseRetryAfter('Wed, 21 Oct 2026 07:28:30 GMT', date)).toBe(30_000);
  expect(parseRetryAfter('soon', date)).toBeUndefined();
  expect(parseRetryAfter(undefined, date)).toBeUndefined();
});
