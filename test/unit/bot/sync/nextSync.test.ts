import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nextSyncAt, type SyncHistory, type SyncPolicy } from '../../../../src/bot/sync/nextSync.ts';

const policy: SyncPolicy = { intervalMs: 60_000, onChangeMs: 2000 };
const quiet: SyncHistory = { lookedAt: 0, failures: 0, firstChangeAt: undefined, lastChangeAt: undefined };
const changed = (firstChangeAt: number, lastChangeAt = firstChangeAt): SyncHistory => ({
  ...quiet,
  firstChangeAt,
  lastChangeAt,
});

test('nothing changed: every SYNC_INTERVAL', () => {
  expect(nextSyncAt(quiet, policy)).toBe(60_000);
});

test('SYNC_ON_CHANGE after the last change of a burst', () => {
  expect(nextSyncAt(changed(20_000, 23_000), policy)).toBe(25_000);
});

test('a burst that does not end: 10 s after its first change', () => {
  expect(nextSyncAt(changed(20_000, 29_500), policy)).toBe(30_000);
});

test('two looks for changes are 5 s apart', () => {
  expect(nextSyncAt(changed(100), policy)).toBe(5000);
});

test('SYNC_ON_CHANGE=0: changes do not count', () => {
  expect(nextSyncAt(changed(100), { ...policy, onChangeMs: 0 })).toBe(60_000);
});

test('a look that failed is repeated soon, then less often, never less than usual', () => {
  const after = (failures: number) => nextSyncAt({ ...changed(1), failures }, policy);
  expect([1, 2, 3, 5, 6, 1000].map(after)).toEqual([2000, 4000, 8000, 32_000, 60_000, 60_000]);
});

const policies = fc.record({
  intervalMs: fc.integer({ min: 1, max: 3_600_000 }),
  onChangeMs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 600_000 })),
});
const histories = fc
  .record({
    lookedAt: fc.integer({ min: 0, max: 2e12 }),
    failures: fc.oneof(fc.constant(0), fc.nat(2000)),
    first: fc.option(fc.nat(4_000_000), { nil: undefined }),
    burst: fc.nat(4_000_000),
  })
  .map(
    ({ lookedAt, failures, first, burst }): SyncHistory => ({
      lookedAt,
      failures,
      firstChangeAt: first === undefined ? undefined : lookedAt + first,
      lastChangeAt: first === undefined ? undefined : lookedAt + first + burst,
    }),
  );

test('never later than the interval, and never before the look that was', () => {
  fc.assert(
    fc.property(histories, policies, (history, policy) => {
      const next = nextSyncAt(history, policy);
      expect(next).toBeLessThanOrEqual(history.lookedAt + policy.intervalMs);
      expect(next).toBeGreaterThan(history.lookedAt);
    }),
  );
});

test('earlier than the interval only for a failure or for changes: settled, or 10 s old, and 5 s after the last look', () => {
  fc.assert(
    fc.property(histories, policies, (history, policy) => {
      const next = nextSyncAt(history, policy);
      if (next === history.lookedAt + policy.intervalMs || history.failures > 0) return;
      const { firstChangeAt = Number.NaN, lastChangeAt = Number.NaN } = history;
      expect(next - history.lookedAt).toBeGreaterThanOrEqual(5000);
      expect(next >= lastChangeAt + policy.onChangeMs || next >= firstChangeAt + 10_000).toBe(true);
    }),
  );
});

test('one more change never brings the look forward, nor puts it off beyond 10 s from the first', () => {
  fc.assert(
    fc.property(histories, policies, fc.nat(100_000), (history, policy, later) => {
      const { firstChangeAt, lastChangeAt, lookedAt, failures } = history;
      if (firstChangeAt === undefined || lastChangeAt === undefined || failures > 0) return;
      const before = nextSyncAt(history, policy);
      const after = nextSyncAt({ ...history, lastChangeAt: lastChangeAt + later }, policy);
      expect(after).toBeGreaterThanOrEqual(before);
      if (policy.onChangeMs > 0) {
        expect(after).toBeLessThanOrEqual(Math.max(firstChangeAt + 10_000, lookedAt + 5000));
      }
    }),
  );
});
