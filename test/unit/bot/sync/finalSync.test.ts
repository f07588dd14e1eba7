import { expect, test } from 'vitest';
import { RuntimeError } from '../../../../src/base/errors.ts';
import { finalSync, STALL_MS } from '../../../../src/bot/sync/finalSync.ts';
import { fakeClock } from '../../../support/fakeClock.ts';

const done = async () => {};
/** Ends only when it is told to, as a call to a store that is silent. */
const silent = (signal: AbortSignal) =>
  new Promise<void>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error));
  });

test('all saved', async () => {
  const clock = fakeClock();
  const outcome = await finalSync({
    publish: done,
    ship: done,
    saveOutputs: done,
    lastProgress: () => 0,
    budgetMs: undefined,
    clock,
  });
  expect(outcome).toEqual({ stateSaved: true, logsSaved: true, reason: undefined });
  await clock.advance(0);
  expect(clock.sleepers).toBe(0);
});

test('one that fails does not keep the other from being saved, and is named', async () => {
  const fail = async () => {
    throw new RuntimeError('unavailable', 'no store');
  };
  const common = { saveOutputs: done, lastProgress: () => 0, budgetMs: 1000, clock: fakeClock() };
  expect(await finalSync({ publish: fail, ship: done, ...common })).toEqual({
    stateSaved: false,
    logsSaved: true,
    reason: 'state: no store',
  });
  expect(await finalSync({ publish: done, ship: fail, ...common })).toEqual({
    stateSaved: true,
    logsSaved: false,
    reason: 'logs: no store',
  });
  expect(await finalSync({ publish: fail, ship: fail, ...common })).toMatchObject({
    reason: 'state: no store; logs: no store',
  });
});

test('outputs are saved when the state is, and not without it', async () => {
  const seen: string[] = [];
  const common = { ship: done, lastProgress: () => 0, budgetMs: 1000, clock: fakeClock() };
  const publish = async () => {
    await new Promise((resolve) => setTimeout(resolve, 10));
    seen.push('state');
  };
  const saveOutputs = async () => {
    seen.push('outputs');
    throw new RuntimeError('unsaved', 'no room');
  };
  expect(await finalSync({ publish, saveOutputs, ...common })).toEqual({
    stateSaved: true,
    logsSaved: true,
    reason: 'outputs: no room',
  });
  const fail = async () => {
    throw new RuntimeError('fenced', 'taken over');
  };
  expect(await finalSync({ publish: fail, saveOutputs, ...common })).toMatchObject({
    reason: 'state: taken over',
  });
  expect(seen).toEqual(['state', 'outputs']);
});

test('the budget ends it, whatever moves; what is saved by then is', async () => {
  const clock = fakeClock();
  let outcome: unknown;
  void finalSync({
    publish: silent,
    ship: done,
    saveOutputs: done,
    lastProgress: clock.elapsed,
    budgetMs: 4000,
    clock,
  }).then((result) => {
    outcome = result;
  });
  await clock.advance(3999);
  expect(outcome).toBe(undefined);
  await clock.advance(1);
  expect(outcome).toEqual({ stateSaved: false, logsSaved: true, reason: 'state: no time left' });
});

test('without a budget it goes on as long as bytes move, and 30 s beyond the last', async () => {
  const clock = fakeClock();
  let moved = clock.elapsed();
  let outcome: unknown;
  const options = {
    publish: silent,
    ship: silent,
    saveOutputs: done,
    lastProgress: () => moved,
    budgetMs: undefined,
    clock,
  };
  void finalSync(options).then((result) => {
    outcome = result;
  });
  for (let i = 0; i < 100; i += 1) {
    await clock.advance(29_000);
    moved = clock.elapsed();
  }
  await clock.advance(STALL_MS - 1);
  expect(outcome).toBe(undefined);
  await clock.advance(1);
  expect(outcome).toMatchObject({ stateSaved: false, logsSaved: false });
  expect((outcome as { reason: string }).reason).toContain('no byte moved for 30 s');
});

test('bytes that moved long before it began do not count against it', async () => {
  const clock = fakeClock();
  let outcome: unknown;
  void finalSync({
    publish: silent,
    ship: done,
    saveOutputs: done,
    lastProgress: () => 0,
    budgetMs: undefined,
    clock,
  }).then((result) => {
    outcome = result;
  });
  await clock.advance(STALL_MS - 1);
  expect(outcome).toBe(undefined);
  await clock.advance(1);
  expect(outcome).toMatchObject({ stateSaved: false });
});

test.each([-3_600_000, 3_600_000])(
  'a clock that is set by %i ms meanwhile takes no time from it, and gives none',
  async (ms) => {
    const clock = fakeClock();
    const ends: Record<string, unknown> = {};
    const common = { publish: silent, ship: done, saveOutputs: done, clock };
    for (const [name, budgetMs] of [
      ['moving', undefined],
      ['budget', 60_000],
    ] as const) {
      void finalSync({ ...common, budgetMs, lastProgress: () => 29_000 }).then((outcome) => {
        ends[name] = outcome;
      });
    }
    await clock.advance(10_000);
    clock.set(clock.now() + ms);
    await clock.advance(48_999);
    expect(ends).toEqual({});
    await clock.advance(1);
    expect(Object.keys(ends)).toEqual(['moving', 'budget']);
  },
);
