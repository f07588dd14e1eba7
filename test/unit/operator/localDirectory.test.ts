import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RuntimeError } from '../../../src/base/errors.ts';
import { localDirectory, orFolder } from '../../../src/operator/localDirectory.ts';
import { temporaryDirectory } from '../../support/files/temporary.ts';

test.each([
  ['ran', {}, {}, 'ran'],
  ['./ran', {}, {}, './ran'],
  ['new', {}, {}, undefined],
  ['nowhere', {}, {}, undefined],
  // With a store at hand a bare name is a bot in it, and stays one wherever the command is run.
  ['ran', { STORE_URL: 'file:///store' }, {}, undefined],
  ['ran', { MINIO_ENDPOINT: 'minio:9000' }, {}, undefined],
  ['ran', {}, { 'store-url': 's3://' }, undefined],
  ['./ran', { MINIO_ENDPOINT: 'minio:9000' }, {}, './ran'],
])('%s with %j and %j', async (bot, env, flags, expected) => {
  const cwd = await temporaryDirectory();
  mkdirSync(join(cwd, 'ran/.runtime/store'), { recursive: true });
  mkdirSync(join(cwd, 'new'));
  expect(localDirectory(bot, { cwd, env, flags })).toBe(expected);
});

test.each([
  ['./nowhere', 'there is no folder ./nowhere'],
  ['./new', 'no bot has run in ./new'],
  ['.', 'no bot has run in .'],
])('%s is a path, and no bot has run there', async (bot, why) => {
  const cwd = await temporaryDirectory();
  mkdirSync(join(cwd, 'new'));
  expect(() => localDirectory(bot, { cwd, env: {}, flags: {} })).toThrow(why);
});

test('a name that is no folder, without a store: the error keeps its code, and its hint says that folders count', () => {
  const error = new RuntimeError('config', 'the configuration has a problem:', { problems: ['no store'] });
  const hint = expect.stringContaining('No bot has run in a folder nobot here');
  expect(orFolder(error, 'nobot', { env: {}, flags: {} })).toMatchObject({
    code: 'config',
    problems: ['no store'],
    hint,
  });
  expect(orFolder(error, 'nobot', { env: { MINIO_ENDPOINT: 'minio:9000' }, flags: {} })).toBe(error);
  const other = new RuntimeError('usage', 'something else');
  expect(orFolder(other, 'nobot', { env: {}, flags: {} })).toBe(other);
});
