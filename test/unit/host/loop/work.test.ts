import { expect, test } from 'vitest';
import { RuntimeError } from '../../../../src/base/errors.ts';
import { newWork, noteDone, noteError } from '../../../../src/host/loop/work.ts';
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
