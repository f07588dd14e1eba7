import { isAbsolute, normalize, resolve } from 'node:path';
import { isExactNumber, parseExactJson } from '../../base/exactJson.ts';
import { matching, type Parser } from './parser.ts';

export const anyText: Parser<string> = { expects: 'a text', parse: (text) => text };

export const flag: Parser<boolean> = {
  expects: 'true or false',
  parse: (text) => (/^(true|1)$/i.test(text) ? true : /^(false|0)$/i.test(text) ? false : undefined),
};

/** Credentials in it would be shown wherever it is. */
export const httpUrl: Parser<string> = {
  expects: 'a URL, http:// or https://, without user and password',
  parse: (text) => {
    const url = URL.parse(text);
    const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:';
    return isHttp && url.username === '' && url.password === '' ? url.href : undefined;
  },
};

/** Megabytes (of 1024 × 1024 bytes), as bytes. */
export const megabytes: Parser<number> = {
  expects: 'a size in MB, more than 0',
  parse: (text) => {
    const bytes = /^\d{1,9}(\.\d{1,6})?$/.test(text) ? Math.floor(Number(text) * 1024 * 1024) : 0;
    return bytes > 0 ? bytes : undefined;
  },
};

export const botId: Parser<string> = matching(
  '1 to 128 letters, digits, ".", "_" or "-"',
  /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,128}$/,
);

export const sha256: Parser<string> = {
  expects: 'a SHA-256 as 64 hexadecimal digits',
  parse: (text) => (/^[0-9a-fA-F]{64}$/.test(text) ? text.toLowerCase() : undefined),
};

export const bucketName: Parser<string> = matching(
  'a bucket name: 3 to 63 lower-case letters, digits, "." or "-"',
  /^(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
);

/** What the object stores accept as a key, the file store included: no segment that would leave its folder. */
export const objectKey: Parser<string> = {
  expects: 'an object key: segments between single "/", none of them "." or ".."',
  parse: (text) => {
    const sound = text.split('/').every((segment) => segment !== '' && segment !== '.' && segment !== '..');
    return sound && Buffer.byteLength(text) <= 1024 && !/\p{Cc}/u.test(text) ? text : undefined;
  },
};

/** Normalised, without a slash at the end. */
export const absolutePath: Parser<string> = {
  expects: 'an absolute path',
  parse: (text) => (isAbsolute(text) && !/\p{Cc}/u.test(text) ? resolve(text) : undefined),
};

/** Normalised; names something inside the folder that it is relative to. */
export const insidePath: Parser<string> = {
  expects: 'a path relative to the code path and inside it',
  parse: (text) => {
    const path = normalize(text);
    const leaves = path === '.' || path === './' || path === '..' || path.startsWith('../');
    return text === '' || isAbsolute(text) || leaves || /\p{Cc}/u.test(text) ? undefined : path;
  },
};

export const json: Parser<string> = {
  expects: 'JSON',
  parse: (text) => (parseJson(text) === undefined ? undefined : text),
};

export const jsonObject: Parser<Readonly<Record<string, unknown>>> = {
  expects: 'a JSON object',
  parse: (text) => {
    const value = parseJson(text);
    return isObject(value) ? value : undefined;
  },
};

/** The same, with numbers for whoever reads the text that is made of it (`parseExactJson`). */
export const exactJsonObject: Parser<Readonly<Record<string, unknown>>> = {
  expects: 'a JSON object',
  parse: (text) => {
    const value = parseJson(text, parseExactJson);
    return isObject(value) ? value : undefined;
  },
};

export const words: Parser<readonly string[]> = {
  expects: 'a JSON list of words, not empty',
  parse: (text) => {
    const value = parseJson(text);
    const sound =
      Array.isArray(value) &&
      value.length > 0 &&
      value[0] !== '' &&
      value.every((word) => typeof word === 'string' && !word.includes('\0'));
    return sound ? (value as string[]) : undefined;
  },
};

/** Undefined for what is not JSON; JSON itself has no undefined. */
export function parseJson(text: string, parse: (text: string) => unknown = JSON.parse): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isExactNumber(value);
}
