import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { heldBack } from '../../../../src/host/loop/massDelete.ts';
import { createSlots } from '../../../../src/host/loop/slots.ts';
import { createStoreGate } from '../../../../src/host/loop/storeGate.ts';
import { createWakeups } from '../../../../src/host/loop/wakeups.ts';
import { createWaves, type KeptWave, type Waves } from '../../../../src/host/loop/waves.ts';
import type { Listing } from '../../../../src/host/sources/source.ts';

describe('wake-ups', () => {
  it('wake every key at its time, in order, on one timer', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ key: fc.integer({ min: 0, max: 20 }), at: fc.nat(100_000) })),
        (wanted) => {
          let now = 0;
          let timer: { at: number; call: () => void } | undefined;
          const woken: [string, number][] = [];
          const wakeups = createWakeups(
            {
              now: () => now,
              after: (ms, call) => {
                timer = { at: now + ms, call };
                return () => {
                  timer = undefined;
                };
              },
            },
            (key) => woken.push([key, now]),
          );
          const earliest = new Map<string, number>();
          for (const { key, at } of wanted) {
            wakeups.at(String(key), at);
            earliest.set(String(key), Math.min(at, earliest.get(String(key)) ?? at));
          }
          for (let due = timer; due !== undefined; due = timer) {
            timer = undefined;
            now = due.at;
            due.call();
          }
          expect(new Map(woken)).toEqual(earliest);
          expect(woken.length).toBe(earliest.size);
        },
      ),
    );
  });

  it('notices within 30 s that the clock was set', () => {
    let asked = 0;
    const after = (ms: number) => {
      asked = ms;
      return () => undefined;
    };
    createWakeups({ now: () => 0, after }, () => undefined).at('a', 1e9);
    expect(asked).toBe(30_000);
  });
});

describe('the guard against mass deletes', () => {
  const listing = (...names: string[]): Listing =>
    new Map(names.map((name) => [name, { problems: [], origin: name }]));

  it('holds back when fewer than half of what runs is left', () => {
    expect(heldBack(listing(), ['a'], new Set())).toEqual(['a']);
    expect(heldBack(listing('a'), ['a', 'b', 'c'], new Set())).toEqual(['b', 'c']);
    expect(heldBack(listing('a', 'b'), ['a', 'b', 'c'], new Set())).toEqual([]);
    expect(heldBack(listing('new'), ['a', 'b'], new Set())).toEqual(['a', 'b']);
  });

  it('lets go what an operator has removed', () => {
    expect(heldBack(listing(), ['a'], new Set(['a']))).toEqual([]);
  });
});

describe('waves', () => {
  const ask = (waves: ReturnType<typeof createWaves>, bots: number, now: number) =>
    Array.from({ length: bots }, (_, i) => `b${i}`).filter((bot) =>
      waves.mayReplace({ bot, group: 'g', hash: 'new', total: () => bots, now }),
    );

  const create = (
    kept: readonly KeptWave[] = [],
    onHeld: (group: string) => void = () => undefined,
    now = 0,
  ) => createWaves({ kept, now, changed: () => undefined, onHeld });

  it('are one, 5 %, 25 %, all', () => {
    const waves = create();
    const sizes: number[] = [];
    for (let now = 0; sizes.at(-1) !== 100; now += 1_000) {
      const through = ask(waves, 100, now);
      sizes.push(through.length);
      for (const bot of through) waves.ready(bot, 'new');
    }
    expect(sizes).toEqual([1, 5, 25, 100]);
  });

  it('are held when a wave is not ready within a minute', () => {
    const held: string[] = [];
    const waves = create([], (group) => held.push(group));
    expect(ask(waves, 100, 0)).toEqual(['b0']);
    expect(ask(waves, 100, 59_000)).toEqual(['b0']);
    expect(ask(waves, 100, 60_000)).toEqual(['b0']);
    expect(held).toEqual(['g']);
    expect(waves.held()).toEqual([{ group: 'g', notReady: 1 }]);
    waves.release();
    expect(ask(waves, 100, 61_000).length).toBe(1);
  });

  it('are held over a restart of the host, and let nobody through in place of one that is not ready', () => {
    const first = create();
    expect(ask(first, 100, 0)).toEqual(['b0']);
    const second = create(kept(first), undefined, 100_000);
    expect(ask(second, 100, 159_000)).toEqual(['b0']);
    expect(ask(second, 100, 160_000)).toEqual(['b0']);
    const third = create(kept(second), undefined, 200_000);
    expect(third.held()).toEqual([{ group: 'g', notReady: 1 }]);
    expect(ask(third, 100, 1e9)).toEqual(['b0']);
  });

  it('go on after a restart where they were', () => {
    const first = create();
    ask(first, 100, 0);
    first.ready('b0', 'new');
    expect(ask(first, 100, 0).length).toBe(5);
    const second = create(kept(first), undefined, 50_000);
    for (let i = 0; i < 5; i++) second.ready(`b${i}`, 'new');
    expect(ask(second, 100, 50_000).length).toBe(25);
  });

  const kept = (waves: Waves): KeptWave[] => JSON.parse(JSON.stringify(waves.keep()));
});

describe('slots', () => {
  it('are as many as they are, first come, first served', async () => {
    const slots = createSlots({ code: 1, start: 2, end: 1 });
    const order: number[] = [];
    const give = await Promise.all([slots.take('start'), slots.take('start')]);
    const waiting = [3, 4].map(async (n) => {
      const back = await slots.take('start');
      order.push(n);
      back();
    });
    expect(slots.waiting('start')).toBe(2);
    for (const back of give) back();
    await Promise.all(waiting);
    expect(order).toEqual([3, 4]);
  });

  it('are given first to who has begun already', async () => {
    const slots = createSlots({ code: 1, start: 1, end: 1 });
    const order: string[] = [];
    const give = await slots.take('start');
    const waiting = ['new', 'begun', 'newer', 'begun too'].map(async (who) => {
      const back = await slots.take('start', who.startsWith('begun'));
      order.push(who);
      back();
    });
    give();
    await Promise.all(waiting);
    expect(order).toEqual(['begun', 'begun too', 'new', 'newer']);
  });
});

describe('the gate before a store that is away', () => {
  it('lets one a second ask', () => {
    const gate = createStoreGate();
    expect([gate.mayAsk(0), gate.mayAsk(0)]).toEqual([true, true]);
    gate.failed(0);
    expect([500, 1_000, 1_001, 1_999, 2_001].map((now) => gate.mayAsk(now))).toEqual([
      false,
      true,
      false,
      false,
      true,
    ]);
    gate.answered();
    expect(gate.mayAsk(2_002)).toBe(true);
  });

  it('lets one ask though the clock was set back meanwhile', () => {
    const gate = createStoreGate();
    gate.failed(10_000_000);
    expect([5_000, 5_001, 6_000].map((now) => gate.mayAsk(now))).toEqual([true, false, true]);
  });
});
