import { expect, test } from 'vitest';
import type { Instance } from '../../../../src/host/engine/engine.ts';
import { toldToEnd } from '../../../../src/host/loop/toldToEnd.ts';
import { nothingRecorded } from '../../../../src/host/reconcile/recorded.ts';

const ended = (exitCode: number | undefined) => [
  { id: 'i', role: 'bot', state: 'ended', exitCode } as Instance,
];

test.each([
  [0, true],
  [143, true],
  [1, false],
  [137, false],
  [75, false],
  [undefined, false],
])('an instance that says that it was stopped, and has ended with %s, was told to: %s', (exitCode, told) => {
  expect(toldToEnd(ended(exitCode), nothingRecorded, () => true)).toBe(told);
  expect(toldToEnd(ended(exitCode), nothingRecorded, () => false)).toBe(false);
});

test('an end that this host has asked for, or has counted, is none that somebody else asked for', () => {
  const stopping = { id: 'i', since: 0, graceMs: 1, asked: true, why: 'it is disabled' };
  expect(toldToEnd(ended(0), { ...nothingRecorded, stopping }, () => true)).toBe(false);
  const counted = { id: 'i', at: 0, exitCode: 0, reason: '' };
  expect(toldToEnd(ended(0), { ...nothingRecorded, ended: counted }, () => true)).toBe(false);
});
