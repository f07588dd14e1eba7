import { expect, test } from 'vitest';
import { RuntimeError } from '../../../../src/base/errors.ts';
import type { Instance } from '../../../../src/host/engine/engine.ts';
import { mustWait, newWork, noteDone, noteError, runsSince } from '../../../../src/host/loop/work.ts';
import type { Action, Step } from '../../../../src/host/reconcile/step.ts';

const step = (type: Action['type']) => ({ action: { type } }) as unknown as Step;
const away = new RuntimeError('unavailable', 'no answer from the engine');

/** How long it waits after this one, with the clock at 0 and no chance in it. */
function fails(work: ReturnType<typeof newWork>, type: Action['type']): number {
  noteError(work, step(type), away, 0, 0.5);
  return work.retryAt;
}

test('steps that fail in a row wait longer each; one that works again is forgotten, also before all is done', () => {
  const work = newWork();
  expect([fails(work, 'create'), fails(work, 'create'), fails(work, 'create')]).toEqual([500, 1000, 2000]);
  noteDone(work, step('create'));
  expect(work).toMatchObject({ errors: 0, error: undefined, retryAt: 0 });
  expect(fails(work, 'start')).toBe(500);
});

test('what works beside a step that fails makes its waits no shorter: created and not started, over and over', () => {
  const work = newWork();
  const waits = [1, 2, 3].map(() => {
    noteDone(work, step('create'));
    return fails(work, 'start');
  });
  expect(waits).toEqual([500, 1000, 2000]);
  expect(work.error).toBe(away);
});

test('a wait is over in its time, and when the clock was set back', () => {
  const work = newWork();
  for (let i = 0; i < 12; i += 1) noteError(work, step('create'), away, 1_000_000, 0.999);
  expect(work.retryAt).toBeGreaterThan(1_060_000);
  expect([1_000_000, 1_060_000, work.retryAt].map((now) => mustWait(work, now))).toEqual([true, true, false]);
  expect(mustWait(work, 500_000)).toBe(false);
});

test('an instance runs since it says so, or since it was seen where its clock is ahead', () => {
  const work = newWork();
  const running = (id: string, startedAt: number) => [{ id, state: 'running', startedAt } as Instance];
  expect(runsSince(work, running('i1', 400), 1_000)).toBe(400);
  expect(runsSince(work, running('i2', 9_000), 2_000)).toBe(2_000);
  expect(runsSince(work, running('i2', 9_000), 7_000)).toBe(2_000);
  expect(runsSince(work, [], 7_000)).toBe(7_000);
});
