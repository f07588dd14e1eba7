import type { Memory } from '../../objectStore.ts';
import { placeChunk } from '../../readInto.ts';
import type { AnswerHead } from './answerHead.ts';

/** The memory of an answer's reader. */
export interface Place {
  /** Where the next bytes are to lie; undefined: it is full. */
  left(): Uint8Array | undefined;
  /** The next bytes, in their place; as they are where there is none for them. */
  put(bytes: Buffer): Buffer;
}

/** `expected`: the status of what was asked for. Undefined where the answer is something else, in chunks, or too long. */
export function placeFor(into: Memory, expected: number, { status, length }: AnswerHead): Place | undefined {
  if (status !== expected || typeof length !== 'number') return undefined;
  const given = into(length);
  if (!given || length > given.length) return undefined;
  const memory = Buffer.from(given.buffer, given.byteOffset, length);
  let at = 0;
  return {
    left: () => (at < length ? memory.subarray(at) : undefined),
    put: (bytes) => {
      const placed = memory.subarray(at, at + bytes.length);
      placeChunk(memory, bytes, at);
      at += bytes.length;
      return placed;
    },
  };
}
