import { randomBytes } from 'node:crypto';
import { zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { createFrameDecoder } from '../../../../../src/bot/state/format/frameDecoder.ts';

const frames = [10, 70_000, 1_048_576, 300, 1].map((size, i) =>
  Buffer.concat([randomBytes(size), Buffer.alloc(size, i)]),
);
const packed = frames.map((frame) => zstdCompressSync(frame));

test('one frame after the other, and bytes that are stored as they are', () => {
  const decode = createFrameDecoder();
  for (const [i, frame] of frames.entries())
    expect(decode(packed[i]!, frame.length)?.equals(frame)).toBe(true);
  expect(decode(frames[0]!, frames[0]!.length)).toBe(frames[0]);
});

test('what is not what it should be is nothing, and the next frame is not touched by it', () => {
  const decode = createFrameDecoder();
  const [frame, bytes] = [frames[1]!, packed[1]!];
  const flipped = Buffer.from(bytes);
  flipped[2]! ^= 0xff;
  for (const [what, stored, size] of [
    ['shorter than it says', bytes, frame.length + 1],
    ['longer than it says', bytes, frame.length - 1],
    ['cut', bytes.subarray(0, -5), frame.length],
    ['empty', Buffer.alloc(0), 5],
    ['followed by something', Buffer.concat([bytes, randomBytes(9)]), frame.length],
    ['no frame', randomBytes(500), frame.length],
    ['damaged', flipped, frame.length],
  ] as const) {
    expect(decode(stored, size), what).toBeUndefined();
    expect(decode(packed[3]!, frames[3]!.length)?.equals(frames[3]!), what).toBe(true);
  }
});
