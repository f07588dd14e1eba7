import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { BoxError } from '../http/boxError.ts';
import { refuseOwn } from './paths.ts';

const { O_RDONLY, O_NONBLOCK, O_NOCTTY } = constants;

/** A file to be read, with the rights that we have: no folder, no device, no pipe that would keep us waiting. Throws `BoxError` 400 and 403. */
export async function openFile(
  path: string | Buffer,
): Promise<{ readonly file: FileHandle; readonly size: number }> {
  const file = await open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  try {
    const stat = await file.stat();
    if (stat.isDirectory()) throw new BoxError(400, 'IS_A_FOLDER', `${path} is a folder`);
    if (!stat.isFile()) throw new BoxError(400, 'VALIDATION_ERROR', `${path} is not a file`);
    refuseOwn(file.fd);
    return { file, size: stat.size };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Up to so many bytes of it, whatever it says its size is: files of the system say 0. Throws `BoxError` 413. */
export async function readFile(path: string, mostBytes: number): Promise<Buffer> {
  const { file, size } = await openFile(path);
  const tooLarge = () =>
    new BoxError(413, 'FILE_TOO_LARGE', `${path} has more than ${mostBytes} bytes: download it`, {
      limit: mostBytes,
    });
  try {
    if (size > mostBytes) throw tooLarge();
    const pieces: Buffer[] = [];
    for (let length = 0; ; ) {
      const piece = Buffer.allocUnsafe(64 * 1024);
      const { bytesRead } = await file.read(piece);
      if (bytesRead === 0) return Buffer.concat(pieces);
      length += bytesRead;
      if (length > mostBytes) throw tooLarge();
      pieces.push(piece.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}

/** Its first `size` bytes, piece by piece; it is closed then. Throws where it has fewer by now. */
export async function* pieces(file: FileHandle, size: number): AsyncGenerator<Buffer> {
  try {
    for (let at = 0; at < size; ) {
      const piece = Buffer.allocUnsafe(Math.min(256 * 1024, size - at));
      const { bytesRead } = await file.read(piece, 0, piece.length, at);
      if (bytesRead === 0) throw new BoxError(409, 'CONFLICT', 'the file was cut short while it was read');
      at += bytesRead;
      yield piece.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}
