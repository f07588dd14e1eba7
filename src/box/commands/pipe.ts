import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { Socket } from 'node:net';
import { systemCode } from '../../base/errors.ts';

/** What a pipe of the system can be made to hold by others at most, bytes. */
const MOST_HELD_BYTES = 1024 * 1024;

/** A pipe between a command and us. */
export interface Pipe {
  /** For the command. To be closed, by `release`, once it has been handed over. */
  readonly writer: number;
  release(): void;
  /** What comes through it, until nobody holds its other end any more. */
  readonly reader: Socket;
  /** What is in it now: whatever a command has written before it ended. */
  takeRest(): Buffer;
}

/** Opens both ends of the FIFO at `path`. Throws where it is none any more: whoever we work for may do there what they like. */
export function openPipe(path: string): Pipe {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  try {
    if (!fstatSync(fd).isFIFO()) throw new Error(`${path} is not a FIFO`);
    // The very FIFO that we have, whatever has become of the name: there is a reader, so this does not wait.
    return asPipe(fd, openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY));
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function asPipe(fd: number, writer: number): Pipe {
  const reader = new Socket({ fd, readable: true, writable: false });
  let isOpen = true;
  reader.once('end', () => {
    isOpen = false;
  });
  reader.once('close', () => {
    isOpen = false;
  });
  reader.on('error', () => undefined);
  return {
    writer,
    release: () => closeSync(writer),
    reader,
    takeRest: () => {
      const pieces: Buffer[] = [];
      for (let left = MOST_HELD_BYTES; isOpen && left > 0; ) {
        const piece = readNow(fd);
        if (!piece) break;
        pieces.push(piece);
        left -= piece.length;
      }
      return Buffer.concat(pieces);
    },
  };
}

function readNow(fd: number): Buffer | undefined {
  const piece = Buffer.allocUnsafe(64 * 1024);
  try {
    const length = readSync(fd, piece);
    return length === 0 ? undefined : piece.subarray(0, length);
  } catch (error) {
    if (systemCode(error) === 'EAGAIN') return undefined;
    throw error;
  }
}
