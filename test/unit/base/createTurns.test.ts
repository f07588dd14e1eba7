import { expect, test } from 'vitest';
import { createTurns } from '../../../src/base/createTurns.ts';

test('what is done for one key waits for what was before it, also where that failed, and for no other key', async () => {
  const inTurn = createTurns();
  const done: string[] = [];
  const first = Promise.withResolvers<void>();
  const failed = inTurn('a', async () => {
    await first.promise;
    done.push('a1');
    throw new Error('no');
  });
  const second = inTurn('a', async () => void done.push('a2'));
  await inTurn('b', async () => void done.push('b'));
  expect(done).toEqual(['b']);
  first.resolve();
  await expect(failed).rejects.toThrow('no');
  await second;
  expect(done).toEqual(['b', 'a1', 'a2']);
  expect(await inTurn('a', async () => 3)).toBe(3);
});
