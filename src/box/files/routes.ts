import { isUtf8 } from 'node:buffer';
import type { Box } from '../box.ts';
import { answerData } from '../http/answer.ts';
import { invalid } from '../http/boxError.ts';
import type { Route } from '../http/exchange.ts';
import { type JsonObject, readJson } from '../http/readJson.ts';
import { readFile } from './openFile.ts';
import { readPath } from './paths.ts';
import { writeFile } from './writeFile.ts';

/** A path needs no more. */
const SMALL_BYTES = 64 * 1024;

/** Files as JSON. */
export function fileRoutes({ config, limits }: Box): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/files/read',
      handle: async ({ request, response }) => {
        const body = await readJson(request, SMALL_BYTES);
        const path = readPath(config.workspace, body.path);
        const encoding = readEncoding(body);
        const bytes = await readFile(path, limits.bodyBytes / 2);
        answerData(response, {
          path,
          content: bytes.toString(encoding),
          encoding,
          size: bytes.length,
          // As text it is not what it was: whoever wants to write it back asks for base64.
          ...(encoding === 'utf8' && !isUtf8(bytes) && { isBinary: true }),
        });
      },
    },
    {
      method: 'POST',
      path: '/files/write',
      handle: async ({ request, response }) => {
        const body = await readJson(request, limits.bodyBytes, limits.bodies);
        const path = readPath(config.workspace, body.path);
        const bytes = readContent(body);
        answerData(response, { path, ...(await writeFile(path, [bytes], readMode(body.mode))) });
      },
    },
  ];
}

function readEncoding({ encoding = 'utf8' }: JsonObject): 'utf8' | 'base64' {
  if (encoding === 'utf8' || encoding === 'utf-8' || encoding === null) return 'utf8';
  if (encoding === 'base64') return 'base64';
  throw invalid('encoding', 'is neither utf8 nor base64');
}

function readContent(body: JsonObject): Buffer {
  const encoding = readEncoding(body);
  if (typeof body.content !== 'string') throw invalid('content', 'is not a string');
  if (encoding === 'base64' && !/^[A-Za-z0-9+/_-]*={0,2}\s*$/.test(body.content)) {
    throw invalid('content', 'is not base64');
  }
  return Buffer.from(body.content, encoding);
}

/** Permission bits, as a number or in octal digits; undefined: as they are, or as new files have them. */
export function readMode(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  const mode =
    typeof value === 'string' && /^(0o)?[0-7]{1,4}$/.test(value)
      ? Number.parseInt(value.replace('0o', ''), 8)
      : value;
  if (typeof mode !== 'number' || !Number.isInteger(mode) || mode < 0 || mode > 0o7777) {
    throw invalid('mode', 'is no permission bits');
  }
  return mode;
}
