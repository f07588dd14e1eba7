import { closeSync, openSync, readSync } from 'node:fs';
import { systemCode } from '../../base/errors.ts';
import { Secret } from '../../base/secret.ts';

/** Bytes. Keys and tokens are far shorter; a mistaken path may be anything. */
const longest = 16 * 1024;

/** One line, its end dropped. */
export function readSecretFile(path: string): Secret | { readonly problem: string } {
  let content: string;
  try {
    content = readStart(path);
  } catch (error) {
    return { problem: `cannot be read (${systemCode(error) ?? 'unknown error'})` };
  }
  if (Buffer.byteLength(content) > longest) return { problem: `is larger than ${longest} bytes` };
  const value = content.replace(/\r?\n$/, '');
  if (value === '') return { problem: 'is empty' };
  if (/\p{Cc}/u.test(value)) return { problem: 'has several lines or control characters, expected one line' };
  return new Secret(value);
}

function readStart(path: string): string {
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(longest + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < buffer.length; length += read) {
      read = readSync(file, buffer, length, buffer.length - length, null);
    }
    return buffer.toString('utf8', 0, length);
  } finally {
    closeSync(file);
  }
}
