import fc from 'fast-check';
import { expect, test } from 'vitest';
import { startStop, syncBudgetMs } from '../../../../../src/agent/supervisor/stop/stopBudget.ts';

test('the bot gets 60 % of the budget, the final sync what is then left, and the exit stays inside', () => {
  const budget = startStop(1000, 10_000);
  expect(budget).toEqual({ graceEndsAt: 7000, syncEndsAt: 10_700 });
  expect(syncBudgetMs(budget, 7000)).toBe(3700);
  expect(syncBudgetMs(budget, 1200)).toBe(9500);
});

test('whatever the bot took, nobody gets time that is over', () => {
  fc.assert(
    fc.property(
      fc.nat(),
      fc.integer({ min: 1, max: 3_600_000 }),
      fc.nat(7_200_000),
      (now, timeout, later) => {
        const budget = startStop(now, timeout);
        const left = syncBudgetMs(budget, now + later);
        expect(left).toBeGreaterThanOrEqual(0);
        expect(left === 0 || now + later + left < now + timeout).toBe(true);
        expect(budget.graceEndsAt).toBeLessThan(budget.syncEndsAt);
      },
    ),
  );
});
