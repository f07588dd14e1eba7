import { constants, createInflateRaw, type InflateRaw } from 'node:zlib';

/** What of Node's own inflater is used here: it has no other way to inflate into memory that is there. Node's version is pinned. */
interface Internals {
  readonly _handle: {
    reset(): void;
    writeSync(
      flush: number,
      packed: Uint8Array,
      at: number,
      length: number,
      output: Uint8Array,
      outputAt: number,
      outputLength: number,
    ): void;
  };
  /** What was left of the output and of the input. An error leaves it as it was. */
  readonly _writeState: Uint32Array;
}

export type Inflater = (packed: Uint8Array, size: number) => Buffer | undefined;

/**
 * Inflates what is to have exactly so many bytes, into memory that is used again for the next: `inflateRawSync` makes both inflater and
 * memory anew each time, which costs as much again as a small file's inflating, and is garbage. Undefined where the bytes are not
 * that many or not all used.
 */
export function createInflater(): Inflater {
  let output = Buffer.allocUnsafeSlow(64 * 1024);
  let inflater: (InflateRaw & Partial<Internals>) | undefined;
  return (packed, size) => {
    // One byte more than declared: what holds more is found out.
    if (size >= output.length) output = Buffer.allocUnsafeSlow(size + 1);
    if (!inflater || inflater.destroyed)
      inflater = createInflateRaw({ chunkSize: constants.Z_MIN_CHUNK }).on('error', () => undefined);
    const { _handle: handle, _writeState: left } = inflater as unknown as Internals;
    handle.reset();
    left.fill(2);
    handle.writeSync(constants.Z_FINISH, packed, 0, packed.length, output, 0, size + 1);
    if (left[0] === 1 && left[1] === 0) return output.subarray(0, size);
    inflater.destroy();
    return undefined;
  };
}
