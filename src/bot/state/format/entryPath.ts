import { RuntimeError } from '../../../base/errors.ts';
import { RESERVED_NAME } from './format.ts';

/**
 * Paths inside a state are bytes. Here they are strings with one character per byte (latin1), which keep any name,
 * sort by bytes and cost one byte a character; in manifests they are text (see `pathToText`).
 */
export type EntryPath = string & { readonly [asBytes]: true };

declare const asBytes: unique symbol;

/** What a system call has given in latin1: one character per byte. */
export const pathOfBytes = (latin1: string): EntryPath => latin1 as EntryPath;

/** An entry of a folder; of the root itself where the folder is ''. */
export const below = (folder: EntryPath, name: string): EntryPath =>
  pathOfBytes(folder === '' ? name : `${folder}/${name}`);

/** The root of a state, seen from inside. */
export const ROOT = pathOfBytes('');

const ascii = /^[\0-\x7f]*$/;

/** For calls of `node:fs`: strings are taken as UTF-8 there, so anything but ASCII goes as bytes. */
export function toSystemPath(path: EntryPath): string | Buffer {
  return ascii.test(path) ? path : Buffer.from(path, 'latin1');
}

/** A path given as text (an option, a directory) in our form. */
export function fromText(text: string): EntryPath {
  return pathOfBytes(ascii.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1'));
}

/** The same of one that may have slashes around it, as people write them. */
export function fromLooseText(text: string): EntryPath {
  return fromText(text.replace(/^\.?\/+|\/+$/g, ''));
}

/** Walk order: a folder, then what is in it, names by their bytes. So `/` sorts below every other byte. */
export function comparePaths(a: EntryPath, b: EntryPath): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return (x === 0x2f ? -1 : x) - (y === 0x2f ? -1 : y);
  }
  return a.length - b.length;
}

/**
 * UTF-8 as text; bytes that are not UTF-8 as lone surrogates U+DC80…U+DCFF (PEP 383, Python's `surrogateescape`),
 * which JSON carries as `\udc80`. Every name has exactly one such text.
 */
export function pathToText(path: EntryPath): string {
  if (ascii.test(path)) return path;
  const bytes = Buffer.from(path, 'latin1');
  const text = bytes.toString('utf8');
  if (Buffer.from(text, 'utf8').equals(bytes)) return text;
  let out = '';
  for (let i = 0; i < bytes.length; ) {
    const size = validSequence(bytes, i);
    out += size === 0 ? String.fromCharCode(0xdc00 + bytes[i]!) : bytes.toString('utf8', i, i + size);
    i += size || 1;
  }
  return out;
}

export function textToPath(text: string): EntryPath {
  if (ascii.test(text)) return pathOfBytes(text);
  let out = '';
  for (const char of text) {
    const code = char.codePointAt(0)!;
    out +=
      code >= 0xdc80 && code <= 0xdcff
        ? String.fromCharCode(code - 0xdc00)
        : Buffer.from(char, 'utf8').toString('latin1');
  }
  return pathOfBytes(out);
}

/** Length of the well-formed UTF-8 sequence at `at`, or 0. */
function validSequence(bytes: Buffer, at: number): number {
  const first = bytes[at]!;
  const size = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
  const part = bytes.subarray(at, at + size);
  return size > 0 && part.length === size && !part.toString('utf8').includes('\ufffd') ? size : 0;
}

/** Whether `path` may be a path inside a state: it must not leave the state, nor name what belongs to the runtime. */
export function isEntryPath(path: EntryPath): boolean {
  if (path === '' || path.length > 4096 || path.includes('\0')) return false;
  const names = path.split('/');
  if (names.some((name) => name === '' || name === '.' || name === '..' || name.length > 255)) return false;
  return names[0] !== RESERVED_NAME;
}

export function checkEntryPath(path: EntryPath): EntryPath {
  if (isEntryPath(path)) return path;
  throw new RuntimeError(
    'damaged',
    `the manifest names a path that no state can have: ${JSON.stringify(path)}`,
    {
      op: 'state.read',
      hint: 'The snapshot was damaged or forged; the runtime falls back to an older one.',
    },
  );
}

export const parentOf = (path: EntryPath): EntryPath =>
  pathOfBytes(path.slice(0, Math.max(0, path.lastIndexOf('/'))));

export const depthOf = (path: EntryPath): number => path.split('/').length;
