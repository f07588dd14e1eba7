import { expect, test } from 'vitest';
import { createSyncer } from '../../../../../src/protocol/tangle/events/createSyncer.ts';

test('each file reaches the disk once for all that was written to it meanwhile, one after the other', async () => {
  const synced: string[] = [];
  let together = 0;
  let most = 0;
  const soon = createSyncer(async (path) => {
    most = Math.max(most, ++together);
    synced.push(path);
    await new Promise((resolve) => setImmediate(resolve));
    together -= 1;
    if (path === 'gone') throw new Error('it is gone');
  }, 1);
  for (let at = 0; at < 100; at++) soon('a');
  soon('gone');
  soon('b');
  await expect.poll(() => synced).toEqual(['a', 'gone', 'b']);
  soon('a');
  await expect.poll(() => synced).toEqual(['a', 'gone', 'b', 'a']);
  expect(most).toBe(1);
});
