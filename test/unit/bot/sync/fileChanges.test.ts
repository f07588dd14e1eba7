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

test('a file that is still coming in is not told, and takes no place of another', () => {
  const { told, changes: seen } = changes();
  for (let i = 0; i < 100; i++) seen.add(pathOfBytes(`sub/.runtime-upload-${i}`));
  for (const path of ['.runtime-upload-x', 'a.runtime-upload-x', '.runtime-upload-x/inside'])
    seen.add(pathOfBytes(path));
  expect(told).toEqual([['file.changed', 'a.runtime-upload-x']]);
});
