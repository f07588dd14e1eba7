import { Socket } from 'node:net';
import type { Readable } from 'node:stream';

/** Bytes that are handed on at a time. */
const CHUNK_BYTES = 64 * 1024;

/** The reading end of the bot's stdout or stderr. */
export interface Source {
  /** Takes effect at once: no chunk comes before `resume`. */
  pause(): void;
  resume(): void;
  /** When the other end is closed by everybody who had it, or `destroy` was called. Never rejects. */
  readonly ended: Promise<void>;
  destroy(): void;
}

export interface SourceOptions {
  readonly onChunk: (chunk: Buffer) => void;
  /** Whether `onChunk`'s receiver still needs that memory. */
  readonly inUse: (memory: ArrayBufferLike) => boolean;
}

/** A file descriptor is read into two buffers used in turn: no garbage, however much the bot writes. */
export function openSource(from: Readable | number, { onChunk, inUse }: SourceOptions): Source {
  return typeof from === 'number' ? readDescriptor(from, onChunk, inUse) : readStream(from, onChunk);
}

function readDescriptor(
  fd: number,
  onChunk: SourceOptions['onChunk'],
  inUse: SourceOptions['inUse'],
): Source {
  const buffers = [Buffer.allocUnsafeSlow(CHUNK_BYTES), Buffer.allocUnsafeSlow(CHUNK_BYTES)] as const;
  let paused = false;
  const onread = {
    buffer: () => (inUse(buffers[0].buffer) ? buffers[1] : buffers[0]),
    callback: (length: number, memory: Uint8Array) => {
      onChunk(Buffer.from(memory.buffer, memory.byteOffset, length));
      return !paused;
    },
  };
  const socket = new Socket({ fd, readable: true, writable: false, onread });
  const control = controlOf(socket);
  socket.resume();
  return {
    ...control,
    pause: () => {
      paused = true;
      socket.pause();
    },
    resume: () => {
      paused = false;
      socket.resume();
    },
  };
}

function readStream(stream: Readable, onChunk: SourceOptions['onChunk']): Source {
  stream.on('data', (chunk: Buffer) => {
    // Only the last piece can be followed by `pause` in time; larger chunks than these do not come from pipes.
    for (let at = 0; at < chunk.length; at += CHUNK_BYTES) onChunk(chunk.subarray(at, at + CHUNK_BYTES));
  });
  return controlOf(stream);
}

function controlOf(stream: Readable): Source {
  const { promise, resolve } = Promise.withResolvers<void>();
  stream.on('end', resolve);
  stream.on('close', resolve);
  stream.on('error', () => resolve());
  return {
    pause: () => stream.pause(),
    resume: () => stream.resume(),
    ended: promise,
    destroy: () => stream.destroy(),
  };
}
