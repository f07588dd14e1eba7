import { expect, test } from 'vitest';
import type { Instance } from '../../../../src/host/engine/engine.ts';
import { countEnd } from '../../../../src/host/reconcile/countEnd.ts';
import { nothingRecorded } from '../../../../src/host/reconcile/recorded.ts';

const restart = { policy: 'on-failure', firstMs: 1_000, longestMs: 300_000, resetMs: 600_000 } as const;
const now = 10_000_000;

const end = (more: Partial<Instance>) => {
  const instance = { id: 'i', name: 'rt-a', hash: 'h', endedAt: now, ...more } as Instance;
  return countEnd(nothingRecorded, instance, restart, now).write;
};

test.each([0, 65, 143, undefined])(
  'one that was taken away after a while begins again at once: exit code %s',
  (exitCode) => {
    const { held, retryAt, failures } = end({ exitCode, takenAway: 'drained', startedAt: now - 60_000 });
    expect({ held, retryAt, failures }).toEqual({ held: undefined, retryAt: undefined, failures: 0 });
  },
);

test.each([0, 143])('one that was told to end with its engine has not failed: exit code %s', (exitCode) => {
  const told = (ranMs: number, policy: 'always' | 'never') => {
    const instance = { id: 'i', name: 'rt-a', hash: 'h', endedAt: now, startedAt: now - ranMs, exitCode };
    return countEnd(nothingRecorded, instance as Instance, { ...restart, policy }, now, true).write;
  };
  expect(told(60_000, 'always')).toMatchObject({ failures: 0, ended: { exitCode } });
  expect(told(60_000, 'always').retryAt).toBeUndefined();
  expect(told(1_000, 'always')).toMatchObject({ failures: 1, retryAt: now + 1_000 });
  expect(told(60_000, 'never').held).toMatchObject({ reason: 'NeverRestarted' });
});

test('what is taken away as soon as it is there is tried again after a pause', () => {
  expect(end({ exitCode: undefined, takenAway: 'OutOfpods' })).toMatchObject({
    failures: 1,
    retryAt: now + 1_000,
  });
});

test('negative control: by itself, the same ends are held', () => {
  expect(end({ exitCode: 0, startedAt: now - 60_000 }).held).toMatchObject({ reason: 'Completed' });
  expect(end({ exitCode: 65, startedAt: now - 60_000 }).held).toMatchObject({ reason: 'NeedsChange' });
});

test('one that has been fenced stays so, whoever took it away', () => {
  expect(end({ exitCode: 75, takenAway: 'drained', startedAt: now - 60_000 }).held).toMatchObject({
    reason: 'Fenced',
  });
});
