import type { Readable } from 'node:stream';
import type { LogChunk } from '../../engine.ts';

const HEADER_BYTES = 8;
/** The engine sends no frame longer than its pipe's buffer; this only bounds what a broken stream can make us hold. */
const LONGEST_FRAME_BYTES = 16 * 1024 * 1024;

/**
 * Output as the engine mixes it: a header with the stream's number and a length, then so many bytes. A stream that ends
 * inside a frame gives what came of it.
 */
export async function* readFrames(source: Readable): AsyncGenerator<LogChunk> {
  let held: Buffer = Buffer.alloc(0);
  for await (const chunk of source as AsyncIterable<Buffer>) {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    while (held.length >= HEADER_BYTES) {
      const length = held.readUInt32BE(4);
      if (length > LONGEST_FRAME_BYTES) throw new Error('the engine’s output is not as it should be');
      if (held.length < HEADER_BYTES + length) break;
      const stream = held[0] === 2 ? 'stderr' : 'stdout';
      if (length > 0) yield { stream, bytes: held.subarray(HEADER_BYTES, HEADER_BYTES + length) };
      held = held.subarray(HEADER_BYTES + length);
    }
  }
  if (held.length > HEADER_BYTES)
    yield { stream: held[0] === 2 ? 'stderr' : 'stdout', bytes: held.subarray(HEADER_BYTES) };
}
