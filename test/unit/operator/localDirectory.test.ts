import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { localDirectory } from '../../../src/operator/localDirectory.ts';
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
