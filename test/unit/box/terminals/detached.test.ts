import { expect, test } from 'vitest';
import { DETACH_MS, Detached } from '../../../../src/box/terminals/detached.ts';
import { fakeClock } from '../../../support/fakeClock.ts';

test('a terminal of a connection ends when nobody has come back to it for a while; one of a POST stays', async () => {
  const clock = fakeClock();
  const closed: string[] = [];
  const terminals = {
    find: (id: string) => ({ ...(id === 'mine' && { connectionId: 'c' }) }),
    close: async (id: string) => void closed.push(id),
  };
  const detached = new Detached(terminals as never, clock);
  const first = detached.attach('mine');
  const second = detached.attach('mine');
  first[Symbol.dispose]();
  await clock.advance(DETACH_MS);
  second[Symbol.dispose]();
  await clock.advance(DETACH_MS - 1);
  const third = detached.attach('mine');
  await clock.advance(DETACH_MS);
  expect(closed).toEqual([]);
  third[Symbol.dispose]();
  detached.attach('posted')[Symbol.dispose]();
  await clock.advance(DETACH_MS);
  expect(closed).toEqual(['mine']);
});
