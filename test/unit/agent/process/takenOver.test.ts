import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  forgetTakenOver,
  refuseTakenOver,
  tellTakenOver,
  whenTakenOver,
} from '../../../../src/agent/process/takenOver.ts';
import { systemClock } from '../../../../src/base/clock.ts';
import { temporaryDirectory } from '../../../support/files/temporary.ts';

const { signal } = new AbortController();

test('what a sidecar tells is heard, also by the next start, until it is forgotten', async () => {
  const logs = await temporaryDirectory();
  refuseTakenOver(logs);
  const heard = whenTakenOver(logs, systemClock, signal);
  tellTakenOver(logs, 'by another');
  expect(await heard).toBe('by another');
  expect(readdirSync(logs)).toEqual(['fenced']);
  expect(() => refuseTakenOver(logs)).toThrow('by another');
  forgetTakenOver(logs);
  refuseTakenOver(logs);
});

test('a link in the place of the file leads nowhere, neither who tells nor who listens', async () => {
  const logs = await temporaryDirectory();
  const elsewhere = join(await temporaryDirectory(), 'file');
  writeFileSync(elsewhere, 'untouched');
  for (const name of ['fenced', 'fenced.new']) symlinkSync(elsewhere, join(logs, name));
  refuseTakenOver(logs);
  tellTakenOver(logs, 'by another');
  expect(readFileSync(elsewhere, 'utf8')).toBe('untouched');
  expect(() => refuseTakenOver(logs)).toThrow('by another');
});

test.each([
  ['a pipe', (path: string) => void execFileSync('mkfifo', [path])],
  ['a folder', (path: string) => void mkdirSync(path)],
])('%s in its place tells nothing, and holds nobody up', async (_, make) => {
  const logs = await temporaryDirectory();
  make(join(logs, 'fenced'));
  refuseTakenOver(logs);
  expect(await whenTakenOver(logs, systemClock, AbortSignal.timeout(10))).toBeUndefined();
});
