import { constants, createZstdDecompress, type ZstdDecompress } from 'node:zlib';
import { decodeInto } from '../../../base/decodeInto.ts';

export type FrameDecoder = (stored: Buffer, size: number) => Buffer | undefined;

/**
 * Unpacks one frame after the other, as `unpack` does, into memory that is used again for the next: with decoder and memory made anew for
 * each, a megabyte takes seven times as long, and is garbage. Undefined where it does not have exactly `size` bytes.
 */
export function createFrameDecoder(): FrameDecoder {
  let output = Buffer.alloc(0);
  let decoder: ZstdDecompress | undefined;
  return (stored, size) => {
    if (stored.length === size) return stored;
    if (size > output.length) output = Buffer.allocUnsafeSlow(size);
    if (!decoder || decoder.destroyed)
      decoder = createZstdDecompress({ chunkSize: constants.Z_MIN_CHUNK }).on('error', () => undefined);
    const left = decodeInto(decoder, constants.ZSTD_e_end, stored, output, size);
    return left === 0 ? output.subarray(0, size) : undefined;
  };
}
