import { expect, test } from 'vitest';
import { startJobThread } from '../../../src/base/jobThread.ts';

test('a thread that cannot be started is gone, and its jobs are for others', async () => {
  // Node refuses at once what it cannot hand over, as it does where there may be no more threads.
  const thread = startJobThread<string>('', () => undefined);
  expect(thread.isGone).toBe(true);
  expect(await thread.run('a job')).toBe(false);
  await thread.close();
});
