import { expect, test } from 'vitest';
import { openEventLog } from '../../../../../src/protocol/tangle/events/eventLog.ts';
import { newestOf } from '../../../../../src/protocol/tangle/events/newestOf.ts';
import { temporaryDirectory } from '../../../../support/files/temporary.ts';

test('the newest of a type is found below all that was said after it, also in files before the last', async () => {
  const log = openEventLog(await temporaryDirectory(), Date.now, {
    segmentBytes: 2000,
    segments: 100,
    ringBytes: 100,
  });
  log.append([
    { type: 'sandbox.running', data: { status: 'running', n: 1 } },
    { type: 'sandbox.running', data: { status: 'running', n: 2 } },
  ]);
  for (let n = 0; n < 500; n++)
    log.append([{ type: 'file.changed', data: { path: `"type":"sandbox.${n}` } }]);
  expect(log.segments().length).toBeGreaterThan(10);
  const holds = '"type":"sandbox.';
  const parsed: string[] = [];
  const found = newestOf(log, holds, ({ type }) => {
    parsed.push(type);
    return type.startsWith('sandbox.');
  });
  expect(found?.data).toMatchObject({ n: 2 });
  // In JSON the quotes of what others say are escaped: only lines that may be such are taken apart.
  expect(parsed).toEqual(['sandbox.running']);
  expect(newestOf(log, holds, ({ data }) => data.n === 1)?.id).toBe(1);
  expect(newestOf(log, holds, () => false)).toBeUndefined();
  expect(newestOf(log, '"type":"file.changed"', () => true)?.id).toBe(502);
});
