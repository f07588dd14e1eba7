import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Secret } from '../../../../src/base/secret.ts';
import { keySource } from '../../../../src/store/s3/renewedKeys.ts';
import { openSealedKeys, sealKeys } from '../../../../src/store/s3/sealedKeys.ts';
import { fakeClock } from '../../../support/fakeClock.ts';
import { temporaryDirectory } from '../../../support/files/temporary.ts';

const seal = (byte: number) => new Secret(Buffer.alloc(32, byte).toString('base64url'));
const keys = (name: string) => ({
  accessKey: new Secret(`${name}-access`),
  secretKey: new Secret(`${name}-secret`),
  sessionToken: new Secret(`${name}-token`),
  expiresAt: 1234,
});

test('a seal opens its own line and no other', () => {
  const text = `${sealKeys(keys('a'), seal(1))}\n${sealKeys(keys('b'), seal(2))}\n`;
  expect(openSealedKeys(text, seal(1))?.accessKey.reveal()).toBe('a-access');
  expect(openSealedKeys(text, seal(2))?.sessionToken?.reveal()).toBe('b-token');
  expect(openSealedKeys(text, seal(2))?.expiresAt).toBe(1234);
  expect(openSealedKeys(text, seal(3))).toBeUndefined();
  expect(openSealedKeys(text, new Secret('short'))).toBeUndefined();
  expect(text).not.toContain('access');
});

test('a line that is not whole, or was changed, opens for nobody', () => {
  const line = sealKeys(keys('a'), seal(1));
  for (let at = 0; at < line.length - 2; at += 7) {
    expect(openSealedKeys(line.slice(0, at), seal(1))).toBeUndefined();
    const other = line[at] === 'A' ? 'B' : 'A';
    expect(openSealedKeys(line.slice(0, at) + other + line.slice(at + 1), seal(1))).toBeUndefined();
  }
});

test('renewed keys are found within a minute, and at once when the store refuses', async () => {
  const file = join(await temporaryDirectory(), 'keys');
  const clock = fakeClock();
  const write = (name: string) => writeFileSync(file, sealKeys(keys(name), seal(1)));
  write('a');
  const source = keySource({ ...keys('a'), renewal: { file, seal: seal(1) } }, clock);
  const current = () => source.current().accessKey.reveal();
  write('b');
  expect(current()).toBe('a-access');
  await clock.advance(60_000);
  expect(current()).toBe('b-access');
  expect(source.refused()).toBe(false);
  write('c');
  expect(source.refused()).toBe(true);
  expect(current()).toBe('c-access');
  // What cannot be read takes nothing away.
  writeFileSync(file, 'torn');
  await clock.advance(60_000);
  expect(current()).toBe('c-access');
});

test('keys that are read again: a changed secret alone is a renewal', () => {
  const clock = fakeClock();
  let now: ReturnType<typeof keys> | undefined = keys('a');
  const source = keySource({ ...keys('a'), renewal: () => now }, clock);
  expect(source.refused()).toBe(false);
  now = undefined;
  expect(source.refused()).toBe(false);
  now = { ...keys('a'), secretKey: new Secret('another') };
  expect(source.refused()).toBe(true);
  expect(source.current().secretKey.reveal()).toBe('another');
});
