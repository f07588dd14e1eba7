import { expect, test } from 'vitest';
import { randomUuid } from '../../../src/base/randomUuid.ts';

test('a UUID of version 4, another one each time', () => {
  const all = Array.from({ length: 1000 }, randomUuid);
  for (const one of all)
    expect(one).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(new Set(all).size).toBe(all.length);
});
