import { expect, onTestFinished, test } from 'vitest';
import type { HeldDisks } from '../../../../src/host/data/holdDisks.ts';
import type { Loop } from '../../../../src/host/loop/loop.ts';
import { restDisks } from '../../../../src/host/run/restDisks.ts';
import { fakeClock } from '../../../support/fakeClock.ts';
import { memoryLog } from '../../../support/memoryLog.ts';

/** Bots by whether they are to run, and whether they do. */
interface Bots {
  [bot: string]: { enabled: boolean; state: 'running' | 'ended' | 'created' };
}

test('the disk of a bot that rests is unmounted at the second look, and of none that runs or is to', async () => {
  const bots: Bots = {
    rests: { enabled: false, state: 'ended' },
    runs: { enabled: true, state: 'running' },
    stops: { enabled: false, state: 'running' },
    starts: { enabled: true, state: 'ended' },
    resumed: { enabled: false, state: 'ended' },
  };
  const mounted = new Set(Object.keys(bots));
  const disks: HeldDisks = {
    hold: async () => undefined,
    used: (bot) => (mounted.has(bot) ? 1 : undefined),
    release: async (bot) => void mounted.delete(bot),
  };
  const loop = {
    bots: () => Object.keys(bots),
    state: (bot: string) => ({
      wanted: { type: 'present', spec: { enabled: bots[bot]!.enabled } },
      instances: [{ state: bots[bot]!.state }],
    }),
  } as unknown as Loop;
  const clock = fakeClock();
  const end = new AbortController();
  onTestFinished(() => end.abort());
  void restDisks({ disks, loop, clock, log: memoryLog().log }, end.signal);
  await clock.advance(60_000);
  expect(mounted.size).toBe(5);
  bots.resumed!.enabled = true;
  await clock.advance(60_000);
  expect([...mounted]).toEqual(['runs', 'stops', 'starts', 'resumed']);
  bots.stops!.state = 'ended';
  await clock.advance(60_000);
  expect(mounted).toContain('stops');
  await clock.advance(60_000);
  expect(mounted).not.toContain('stops');
});
