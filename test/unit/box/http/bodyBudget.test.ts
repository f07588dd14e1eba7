import { expect, test } from 'vitest';
import { boxLimits } from '../../../../src/box/box.ts';
import { BodyBudget } from '../../../../src/box/http/bodyBudget.ts';

const MIB = 1024 * 1024;

test('what does not fit beside what is there already is refused, and fits once that has gone', () => {
  const budget = new BodyBudget(10);
  budget.take(6);
  expect(() => budget.take(5)).toThrow(
    expect.objectContaining({ status: 429, code: 'UPLOAD_BUDGET_EXHAUSTED' }),
  );
  budget.give(6);
  budget.take(10);
});

test('limits follow the memory of the container', () => {
  expect(boxLimits(0)).toMatchObject({ bodyBytes: 64 * MIB, keptBytes: 4 * MIB });
  expect(boxLimits(512 * MIB)).toMatchObject({ bodyBytes: 32 * MIB, keptBytes: MIB });
  expect(boxLimits(16 * MIB)).toMatchObject({ bodyBytes: 4 * MIB, keptBytes: 64 * 1024 });
});
