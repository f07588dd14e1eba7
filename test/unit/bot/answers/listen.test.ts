import { once } from 'node:events';
import { createServer } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { listen } from '../../../../src/bot/answers/listen.ts';

test.each([
  [undefined, 'QUERY_PORT'],
  ['BOX_PORT', 'BOX_PORT'],
])('a port that is taken is said with the variable that names another: %s', async (given, said) => {
  const [first, second] = [createServer(), createServer()];
  onTestFinished(async () => {
    first.close();
    await once(first, 'close');
  });
  const port = await listen(first, 0);
  const failed = await listen(second, port, 'all', given).catch((error: unknown) => error);
  expect(failed).toMatchObject({
    code: 'unavailable',
    hint: expect.stringContaining(`rights; ${said} names another`),
  });
});
