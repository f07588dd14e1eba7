import { randomBytes } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { createInflater } from '../../../../src/bot/code/inflater.ts';

const files = [0, 1, 14_000, 65_536, 300_000, 20].map((size, i) =>
  Buffer.concat([randomBytes(size), Buffer.alloc(size, i)]),
);
const packed = files.map((file) => deflateRawSync(file));

test('one file after the other, of any size', () => {
  const inflate = createInflater();
  for (const [i, file] of files.entries()) expect(inflate(packed[i]!, file.length)?.equals(file)).toBe(true);
});

test('what is not what it should be is nothing, and the next file is not touched by it', () => {
  const inflate = createInflater();
  const [file, bytes] = [files[2]!, packed[2]!];
  for (const [what, stored, size] of [
    ['shorter than declared', bytes, file.length + 1],
    ['longer than declared', bytes, file.length - 1],
    ['much longer', bytes, 5],
    ['cut', bytes.subarray(0, -3), file.length],
    ['followed by something', Buffer.concat([bytes, randomBytes(9)]), file.length],
    ['not deflated', Buffer.alloc(500, 0xff), file.length],
  ] as const) {
    expect(inflate(stored, size), what).toBeUndefined();
    expect(inflate(packed[5]!, files[5]!.length)?.equals(files[5]!), what).toBe(true);
  }
});
