import { expect, test } from 'vitest';
import { InUse } from '../../../../../src/protocol/tangle/runtime/inUse.ts';
import { fakeClock } from '../../../../support/fakeClock.ts';

/** Counts how often each sandbox is said to be used; nobody listens inside. */
function counting() {
  const clock = fakeClock();
  let touches = 0;
  const sandboxes = {
    touch: () => void touches++,
    dial: async () => Promise.reject(new Error('gone')),
    wake: async () => undefined,
  };
  const since = () => {
    const before = touches;
    touches = 0;
    return before;
  };
  return { clock, inUse: new InUse({ sandboxes, clock }), since };
}

test('a call is use for as long as it is under way, however short its sandbox may be idle', async () => {
  const { clock, inUse, since } = counting();
  const call = inUse.begin('a');
  expect(since()).toBe(1);
  await clock.advance(5_000);
  expect(since()).toBe(5);
  call[Symbol.dispose]();
  expect(since()).toBe(1);
  await clock.advance(60_000);
  expect([since(), clock.sleepers]).toEqual([0, 0]);
});

test('of a connection that is held open only bytes are use', async () => {
  const { clock, inUse, since } = counting();
  const connection = { bytesRead: 10, bytesWritten: 0 };
  const held = inUse.begin('a', { connection });
  expect(since()).toBe(1);
  await clock.advance(600_000);
  expect(since()).toBe(0);
  connection.bytesWritten += 1;
  await clock.advance(10_000);
  expect(since()).toBe(1);
  // A call beside it is use all the same.
  const call = inUse.begin('a');
  await clock.advance(2_000);
  call[Symbol.dispose]();
  expect(since()).toBe(4);
  held[Symbol.dispose]();
  expect(since()).toBe(0);
});

test('what may not go on any more is ended, and nothing else in its sandbox', async () => {
  const { clock, inUse } = counting();
  let ended: Error | undefined;
  using call = inUse.begin('a', { ended: () => ended });
  using other = inUse.begin('a');
  await clock.advance(10_000);
  expect(call.over.aborted).toBe(false);
  ended = new Error('the link is gone');
  await clock.advance(1_000);
  expect([call.over.reason, other.over.aborted]).toEqual([ended, false]);
});
