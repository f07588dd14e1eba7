import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { transferProgress } from '../../../../src/base/command/transferProgress.ts';

const MIB = 1024 * 1024;

/** What `output` shows after each update, an update every `stepMs`. */
function shown(isTTY: boolean, stepMs: number, bytes: readonly number[]): string[] {
  const output = Object.assign(new PassThrough(), { isTTY });
  let now = 0;
  const progress = transferProgress(output, () => now);
  const lines = bytes.map((done) => {
    now += stepMs;
    progress.update({ bytes: done, totalBytes: 1000 * MIB });
    return String(output.read() ?? '').trim();
  });
  progress.end();
  return [...lines, String(output.read() ?? '')];
}

test('bytes, rate and, once the rate means something, the time left', () => {
  expect(shown(true, 500, [0, 10 * MIB, 20 * MIB, 1000 * MIB])).toEqual([
    '0 B of 1000 MiB',
    '10.0 MiB of 1000 MiB  10.0 MiB/s  1 min 39 s left',
    '20.0 MiB of 1000 MiB  13.3 MiB/s  1 min 14 s left',
    '1000 MiB of 1000 MiB  500 MiB/s  0 s left',
    expect.stringMatching(/^\r +\r$/),
  ]);
});

test('ten times a second, and at the end', () => {
  const lines = shown(true, 50, [MIB, 2 * MIB, 3 * MIB, 1000 * MIB]);
  expect(lines.map((line) => line !== '')).toEqual([true, false, true, true, true]);
});

test('nothing in a pipe', () => {
  expect(shown(false, 500, [MIB, 1000 * MIB])).toEqual(['', '', '']);
});
