import type { InflateRaw, ZstdDecompress } from 'node:zlib';

/** Node has no other way to decode into memory that is there. Its version is the one that is in the executable. */
interface Internals {
  readonly _handle: {
    writeSync(
      flush: number,
      packed: Uint8Array,
      at: number,
      length: number,
      output: Uint8Array,
      outputAt: number,
      outputLength: number,
    ): void;
    reset(): void;
  };
  /** What was left of the output and of the input. */
  readonly _writeState: Uint32Array;
}

/**
 * Decodes `packed`, all of a stream, into the first `room` bytes of `output`. Returns how many of these are left; undefined where it cannot be
 * decoded, or where something of it is left: then the decoder is destroyed. It has a listener of errors.
 */
export function decodeInto(
  decoder: InflateRaw | ZstdDecompress,
  flush: number,
  packed: Uint8Array,
  output: Uint8Array,
  room: number,
): number | undefined {
  const { _handle: handle, _writeState: left } = decoder as unknown as Internals;
  handle.reset();
  // An error leaves it as it was.
  left.fill(1);
  handle.writeSync(flush, packed, 0, packed.length, output, 0, room);
  const [outputLeft, inputLeft] = left;
  if (inputLeft === 0) return outputLeft;
  decoder.destroy();
  return undefined;
}
