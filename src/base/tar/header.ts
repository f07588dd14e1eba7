import { BLOCK } from './blocks.ts';
import { TarError } from './tarError.ts';

/** One block of 512 bytes before an entry, of any kind: v7, ustar, pax, GNU, star. */
export interface Header {
  /** A letter or digit; `\0` of the oldest kind is `0`. */
  readonly type: string;
  readonly name: Buffer;
  readonly linkname: Buffer;
  readonly mode: number;
  /** Bytes after the header. */
  readonly size: number;
  /** Seconds since the epoch. */
  readonly mtime: number;
}

/** Reads a header; undefined for a block of zeros, which marks the end. Throws `TarError`. */
export function parseHeader(block: Buffer): Header | undefined {
  if (!isHeader(block)) {
    if (block.every((byte) => byte === 0)) return undefined;
    throw new TarError('a header of the tar is damaged');
  }
  const magic = block.toString('latin1', 257, 263);
  const type = block.toString('latin1', 156, 157);
  const prefix = magic === 'ustar\0' ? text(block, 345, 155) : Buffer.alloc(0);
  const own = text(block, 0, 100);
  return {
    type: type === '\0' ? '0' : type,
    name: prefix.length > 0 ? Buffer.concat([prefix, Buffer.from('/'), own]) : own,
    linkname: text(block, 157, 100),
    mode: number(block, 100, 8),
    size: number(block, 124, 12),
    mtime: number(block, 136, 12),
  };
}

/** Whether the block's checksum says that it is a header: of the oldest kind nothing else does. */
export function isHeader(block: Buffer): boolean {
  const stated = /^[ \0]*([0-7]+)[ \0]*$/.exec(block.toString('latin1', 148, 156))?.[1];
  if (stated === undefined) return false;
  let unsigned = 8 * 0x20;
  let signed = 8 * 0x20;
  for (let at = 0; at < BLOCK; at++) {
    if (at >= 148 && at < 156) continue;
    unsigned += block[at]!;
    signed += block.readInt8(at);
  }
  const sum = Number.parseInt(stated, 8);
  // Some of the oldest added signed bytes.
  return sum === unsigned || sum === signed;
}

/** Octal digits, or in base 256 after a first bit that is set. Throws `TarError` for a number beyond 2^53. */
export function number(block: Buffer, at: number, length: number): number {
  const field = block.subarray(at, at + length);
  const first = field[0]!;
  if (first & 0x80) {
    // Two's complement: 0x80 begins a positive number, 0xff a negative one.
    let value = BigInt(first & 0x40 ? (first & 0x7f) - 0x80 : first & 0x7f);
    for (const byte of field.subarray(1)) value = value * 256n + BigInt(byte);
    return safe(Number(value));
  }
  const digits = /^[ \0]*([0-7]*)(?:[ \0].*)?$/s.exec(field.toString('latin1'))?.[1];
  if (digits === undefined) throw new TarError('a number in a header of the tar is damaged');
  return safe(Number.parseInt(digits || '0', 8));
}

export function safe(value: number): number {
  if (!Number.isSafeInteger(value)) throw new TarError('a number in the tar is too large');
  return value;
}

function text(block: Buffer, at: number, length: number): Buffer {
  const field = block.subarray(at, at + length);
  const end = field.indexOf(0);
  return Buffer.from(end === -1 ? field : field.subarray(0, end));
}
