import { expect, onTestFinished, test } from 'vitest';
import { RuntimeError } from '../../../../src/base/errors.ts';
import { createSyncLoop, type SyncLoop } from '../../../../src/bot/sync/syncLoop.ts';
import { type FakeClock, fakeClock } from '../../../support/fakeClock.ts';
import { memoryLog } from '../../../support/memoryLog.ts';

interface Running {
  readonly clock: FakeClock;
  readonly loop: SyncLoop;
  /** When each look began, from the start on. */
  readonly looks: number[];
  readonly errors: string[];
  readonly lines: string[];
  readonly ended: Promise<void>;
  readonly stop: () => void;
}

function start(
  sync: (look: number, signal: AbortSignal) => Promise<void> = async () => {},
  policy = { intervalMs: 60_000, onChangeMs: 2000 },
): Running {
  const clock = fakeClock();
  const began = clock.now();
  const looks: number[] = [];
  const errors: string[] = [];
  const { log, lines } = memoryLog();
  const loop = createSyncLoop({
    policy,
    sync: (signal) => {
      looks.push(clock.now() - began);
      return sync(looks.length, signal);
    },
    onError: ({ message }) => void errors.push(message),
    clock,
    log,
  });
  const stopped = new AbortController();
  const ended = loop.run(stopped.signal);
  ended.catch(() => {});
  const stop = () => stopped.abort();
  onTestFinished(stop);
  return { clock, loop, looks, errors, lines, ended, stop };
}

test('looks every interval, without a hint', async () => {
  const { clock, looks } = start();
  await clock.advance(200_000);
  expect(looks).toEqual([60_000, 120_000, 180_000]);
});

test('a burst of hints is one look, 2 s after its last', async () => {
  const { clock, loop, looks } = start();
  await clock.advance(20_000);
  for (let i = 0; i < 10; i += 1) {
    loop.hint();
    await clock.advance(100);
  }
  await clock.advance(30_000);
  expect(looks).toEqual([22_900]);
});

test('a bot that never rests is looked at every 10 s', async () => {
  const { clock, loop, looks } = start();
  for (let i = 0; i < 400; i += 1) {
    loop.hint();
    await clock.advance(100);
  }
  expect(looks).toEqual([10_000, 20_000, 30_000, 40_000]);
});

test('single changes are looked at 5 s apart', async () => {
  const { clock, loop, looks } = start();
  await clock.advance(20_000);
  loop.hint();
  await clock.advance(2000);
  loop.hint();
  await clock.advance(20_000);
  expect(looks).toEqual([22_000, 27_000]);
});

test('a change while we look is a new one', async () => {
  const { clock, loop, looks } = start(async (look) => {
    if (look === 1) await clock.sleep(1000);
  });
  await clock.advance(60_500);
  loop.hint();
  await clock.advance(20_000);
  expect(looks).toEqual([60_000, 65_000]);
});

test('what fails is tried again, soon and then less often; the interval is the limit', async () => {
  const { clock, looks, errors, lines } = start(async (look) => {
    if (look < 4) throw new RuntimeError('unavailable', `no store ${look}`);
  });
  await clock.advance(140_000);
  expect(looks).toEqual([60_000, 62_000, 66_000, 74_000, 134_000]);
  expect(errors).toEqual(['no store 1', 'no store 2', 'no store 3']);
  expect(lines.filter((line) => line.includes('error'))).toHaveLength(3);
});

test('fenced ends it', async () => {
  const { clock, ended, looks } = start(async () => {
    throw new RuntimeError('fenced', 'another');
  });
  await clock.advance(60_000);
  await expect(ended).rejects.toMatchObject({ code: 'fenced' });
  expect(looks).toHaveLength(1);
});

test('an end while waiting, and one while looking', async () => {
  const waiting = start();
  await waiting.clock.advance(10);
  waiting.stop();
  await waiting.ended;
  expect(waiting.clock.sleepers).toBe(0);

  const looking = start((_, signal) => looking.clock.sleep(1e9, signal));
  await looking.clock.advance(60_000);
  looking.stop();
  await looking.ended;
  expect(looking.errors).toEqual([]);
});

test('a clock that is set back does not put off the next look', async () => {
  const { clock, looks } = start();
  await clock.advance(60_000);
  expect(looks).toHaveLength(1);
  clock.set(clock.now() - 3_600_000);
  await clock.advance(121_000);
  expect(looks.length).toBeGreaterThanOrEqual(2);
});

test.each([-3_600_000, 3_600_000])(
  'a clock that is set by %i ms meanwhile: the next look comes when it is due',
  async (ms) => {
    const { clock, looks } = start();
    await clock.advance(30_000);
    clock.set(clock.now() + ms);
    await clock.advance(29_999);
    expect(looks).toHaveLength(0);
    await clock.advance(1);
    expect(looks).toHaveLength(1);
  },
);
