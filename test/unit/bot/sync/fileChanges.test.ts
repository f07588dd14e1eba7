import { expect, test } from 'vitest';
import { pathOfBytes } from '../../../../src/bot/state/format/entryPath.ts';
import { FileChanges } from '../../../../src/bot/sync/fileChanges.ts';

function changes() {
  const told: unknown[] = [];
  return { told, changes: new FileChanges((type, data) => void told.push([type, data.path])) };
}

test('each path is told once until the next look', () => {
  const { told, changes: seen } = changes();
  for (const path of ['a', 'b', 'a', '']) seen.add(pathOfBytes(path));
  seen.startOver();
  seen.add(pathOfBytes('\xc3\xbc'));
  expect(told).toEqual(['a', 'b', 'ü'].map((path) => ['file.changed', path]));
});

test('of many paths only some are told', () => {
  const { told, changes: seen } = changes();
  for (let i = 0; i < 1000; i++) seen.add(pathOfBytes(`${i}`));
  expect(told).toHaveLength(16);
});
