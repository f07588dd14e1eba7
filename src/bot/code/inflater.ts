import { constants, createInflateRaw, type InflateRaw } from 'node:zlib';
import { decodeInto } from '../../base/decodeInto.ts';

export type Inflater = (packed: Uint8Array, size: number) => Buffer | undefined;

/**
 * Inflates what is to have exactly so many bytes, into memory that is used again for the next: `inflateRawSync` makes both inflater and
 * memory anew each time, which costs a third of a small file's inflating, and is garbage. Undefined where the bytes are not that many or not
 * all used.
 */
export function createInflater(): Inflater {
  let output = Buffer.allocUnsafeSlow(64 * 1024);
  let inflater: InflateRaw | undefined;
  return (packed, size) => {
    // One byte more than declared: what holds more is found out.
    if (size >= output.length) output = Buffer.allocUnsafeSlow(size + 1);
    if (!inflater || inflater.destroyed)
      inflater = createInflateRaw({ chunkSize: constants.Z_MIN_CHUNK }).on('error', () => undefined);
    const left = decodeInto(inflater, constants.Z_FINISH, packed, output, size + 1);
    return left === 1 ? output.subarray(0, size) : undefined;
  };
}
