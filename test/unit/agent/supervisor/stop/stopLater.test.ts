import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { stopLater } from '../../../../../src/agent/supervisor/stop/stopLater.ts';
import { listenForStop } from '../../../../../src/agent/supervisor/stop/stopRequest.ts';
import { fakeClock } from '../../../../support/fakeClock.ts';

const setUp = () => {
  const clock = fakeClock();
  const source = new EventEmitter();
  const stop = listenForStop({ source, clock, stopTimeoutMs: 10_000, onOther: () => undefined });
  const over = new AbortController();
  return { clock, source, over, hurried: stopLater(stop, 0.5, clock, over.signal) };
};

test('nothing hurries until a stop has used up its share', async () => {
  const { clock, source, hurried } = setUp();
  await clock.advance(1_000_000);
  expect(hurried.aborted).toBe(false);
  source.emit('SIGTERM');
  await clock.advance(4800);
  expect(hurried.aborted).toBe(false);
  await clock.advance(100);
  expect(hurried.aborted).toBe(true);
});

test('no timer is left when it is over', async () => {
  const { clock, source, over } = setUp();
  source.emit('SIGTERM');
  await clock.advance(1);
  over.abort();
  await clock.advance(1);
  expect(clock.sleepers).toBe(0);
});
