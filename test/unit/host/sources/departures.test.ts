import { expect, test } from 'vitest';
import { systemClock } from '../../../../src/base/clock.ts';
import { RuntimeError } from '../../../../src/base/errors.ts';
import { createDepartures } from '../../../../src/host/sources/kubernetes/departures.ts';
import type { KnownBot } from '../../../../src/host/sources/kubernetes/readBot.ts';

const deleted = (bot: string): KnownBot => ({
  object: bot,
  uid: `uid-${bot}`,
  version: 1n,
  generation: 1,
  bot,
  entry: { problems: [], origin: `bots/${bot}` },
  isDeleted: true,
  finalizers: [],
  goesUnsaved: false,
  status: '{}',
});

test('a store that is away is asked for by a few, and all that are deleted wait; back again, all may go', async () => {
  let isAway = true;
  let asked = 0;
  const over = new AbortController();
  const canSave = async () => {
    asked += 1;
    await systemClock.sleep(5);
    if (isAway) throw new RuntimeError('unavailable', 'away');
  };
  const departures = createDepartures({ clock: systemClock, canSave }, () => undefined);
  const all = Array.from({ length: 50 }, (_, i) => deleted(`bot-${i}`));
  for (const one of all) departures.ask(one);
  const running = departures.run(over.signal);
  await expect.poll(() => departures.waits.size, { timeout: 20_000 }).toBe(50);
  expect(asked).toBeLessThan(50);
  isAway = false;
  await expect.poll(() => all.every(departures.may), { timeout: 20_000 }).toBe(true);
  expect(departures.waits.size).toBe(0);
  over.abort();
  await running;
});
