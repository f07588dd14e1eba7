import { expect, test } from 'vitest';
import type { BotView } from '../../../../src/host/api/hostApi.ts';
import { statusOf } from '../../../../src/host/run/cluster/statusOf.ts';

const at = Date.parse('2026-11-27T11:00:00Z');
const view = (over: Partial<BotView> = {}): BotView => ({
  name: 'momentum',
  state: 'running',
  spec: undefined,
  origin: undefined,
  hash: undefined,
  conditions: [{ type: 'Ready', status: true, reason: 'Running', message: 'runs', since: at }],
  instances: [],
  nextRun: undefined,
  lastRun: undefined,
  lastEnd: undefined,
  failures: 0,
  ...over,
});
const input = (over: Partial<BotView> = {}, before = {}, stays?: { reason: string; message: string }) =>
  ({ view: view(over), generation: 3, before, snapshot: undefined, stays, now: at }) as const;

test('phase, reason, conditions with the generation that they are about; nothing that is not so', () => {
  expect(statusOf(input())).toEqual({
    observedGeneration: 3,
    phase: 'running',
    reason: 'Running',
    message: 'runs',
    conditions: [
      {
        type: 'Ready',
        status: 'True',
        reason: 'Running',
        message: 'runs',
        lastTransitionTime: '2026-11-27T11:00:00Z',
        observedGeneration: 3,
      },
    ],
  });
});

test('another replica that sees the same writes the same: since when it is so is kept', () => {
  const first = statusOf(input());
  const conditions = [{ ...view().conditions[0]!, since: at + 3_600_000 }];
  expect(statusOf(input({ conditions }, first))).toEqual(first);
  const stopped = [{ ...view().conditions[0]!, status: false, reason: 'Disabled', since: at + 60_000 }];
  expect(statusOf(input({ conditions: stopped }, first)).conditions![0]).toMatchObject({
    status: 'False',
    lastTransitionTime: '2026-11-27T11:01:00Z',
  });
});

test('runs, ends and the snapshot of the last end', () => {
  const lastRun = {
    time: at,
    outcome: 'done',
    startedAt: at + 500,
    endedAt: at + 1_500,
    exitCode: 0,
  } as const;
  const snapshot = { sequence: 7, generation: 2, time: '2026-11-27T11:00:01Z' };
  const status = statusOf({ ...input({ lastRun, nextRun: at + 60_000 }), snapshot });
  expect(status).toMatchObject({
    nextRun: '2026-11-27T11:01:00Z',
    lastRun: { time: '2026-11-27T11:00:00Z', outcome: 'done', exitCode: 0 },
    snapshot: { sequence: 7 },
  });
  expect(statusOf(input({}, status)).snapshot).toEqual(snapshot);
});

test('a deletion that waits for the store says so in place of what else is wrong', () => {
  const degraded = { type: 'Degraded', status: true, reason: 'Failing', message: '', since: at } as const;
  const { conditions } = statusOf(
    input({ conditions: [degraded] }, {}, { reason: 'DeletionWaits', message: 'the store is away' }),
  );
  expect(conditions).toMatchObject([
    {
      type: 'Degraded',
      status: 'True',
      reason: 'DeletionWaits',
      message: expect.stringContaining('store is away'),
    },
  ]);
});
