import { expect, test } from 'vitest';
import { shippedLines } from '../../../../../src/bot/logs/shipped/shippedLines.ts';
import type { ObjectStore } from '../../../../../src/store/objectStore.ts';
import { collect } from '../../../../support/collect.ts';

/** Logs as a store lists them and answers ranges of them, in memory. */
function logsIn(objects: Record<string, string>): ObjectStore {
  return {
    async *list() {
      for (const key of Object.keys(objects).sort()) yield { key, size: objects[key]!.length };
    },
    get: async (key: string, { range }: { range: { start: number; end: number } }) => ({
      body: [Buffer.from(objects[key]!.slice(range.start, range.end))],
    }),
  } as unknown as ObjectStore;
}

test('of a day that is set aside while it is followed nothing comes twice, and nothing of the new one is missed', async () => {
  const day = 'logs/bot/20261121.log';
  const objects: Record<string, string> = { [day]: 'old1\nold2\n' };
  const lines = shippedLines(logsIn(objects), 'bot', undefined);
  const look = async () => (await collect(lines.next(new AbortController().signal))).map(String);
  expect(await look()).toEqual(['old1', 'old2']);
  objects['logs/bot/20261121.damaged-0123abcd.log'] = `${objects[day]}old3\n`;
  // As long as what was read of the one before, and longer.
  objects[day] = 'new1\nnew2\nnew3\n';
  expect(await look()).toEqual(['old3', 'new1', 'new2', 'new3']);
  objects[day] += 'new4\n';
  expect(await look()).toEqual(['new4']);
});
