import { expect, test } from 'vitest';
import { BLOCK_BYTES } from '../../../../../src/bot/state/format/format.ts';
import { FrameQueue } from '../../../../../src/bot/state/publish/frameQueue.ts';

/** Row n is a blob of bytes n. */
function filled(...sizes: readonly number[]): FrameQueue {
  const queue = new FrameQueue();
  for (const [row, size] of sizes.entries()) queue.add(row, Buffer.alloc(size, row + 1));
  return queue;
}

const shapeOf = (queue: FrameQueue) => {
  const frames: (readonly number[])[] = [];
  for (let frame = queue.take(); frame; frame = queue.take()) {
    for (const { row, position, size } of frame.parts) {
      const blob = frame.bytes.subarray(position, position + size);
      expect(blob.equals(Buffer.alloc(size, row + 1))).toBe(true);
    }
    frames.push(frame.parts.map(({ row }) => row));
    queue.release(frame);
  }
  return frames;
};

test('blobs go one after the other into frames of a block at most', () => {
  const queue = filled(BLOCK_BYTES / 2, BLOCK_BYTES / 2, 10, BLOCK_BYTES - 10, 5, BLOCK_BYTES);
  expect(queue.bytes).toBe(3 * BLOCK_BYTES + 5);
  expect(shapeOf(queue)).toEqual([[0, 1], [2, 3], [4], [5]]);
  expect(queue.bytes).toBe(0);
});

test('a frame that is not full waits for more, until it is closed', () => {
  const queue = filled(10, 20);
  expect(queue.take()).toBeUndefined();
  queue.close();
  expect(queue.hasFull).toBe(true);
  expect(shapeOf(queue)).toEqual([[0, 1]]);
});

test('what is larger than a block has a frame of its own', () => {
  const queue = filled(10, BLOCK_BYTES + 1, 10);
  queue.close();
  expect(shapeOf(queue)).toEqual([[1], [0, 2]]);
  expect(queue.bytes).toBe(0);
});

test('a buffer is only used again when its frame has been released', () => {
  const queue = filled(BLOCK_BYTES);
  const first = queue.take()!;
  queue.add(1, Buffer.alloc(BLOCK_BYTES, 2));
  const second = queue.take()!;
  expect(second.bytes.buffer).not.toBe(first.bytes.buffer);
  queue.release(first);
  queue.add(2, Buffer.alloc(BLOCK_BYTES, 3));
  expect(queue.take()!.bytes.buffer).toBe(first.bytes.buffer);
  expect(second.bytes[0]).toBe(2);
});

test('all that is left can be had blob by blob', () => {
  const queue = filled(10, BLOCK_BYTES, 20);
  const left = [...queue.drain()].map(([row, bytes]) => [row, bytes.length, bytes[0]]);
  expect(left).toEqual([
    [0, 10, 1],
    [1, BLOCK_BYTES, 2],
    [2, 20, 3],
  ]);
  expect(queue.bytes).toBe(0);
  expect(queue.hasFull).toBe(false);
});
