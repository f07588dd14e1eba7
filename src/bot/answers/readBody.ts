import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { parseExactJson } from '../../base/exactJson.ts';
import { isObject } from '../config/parsers.ts';
import { QueryError } from './queryError.ts';

const MAX_BODY_BYTES = 1024 * 1024;

/** The parameters in a request's body: one JSON object (`parseExactJson`), or nothing. Throws `QueryError` 413 and 400. */
export async function readBody(
  request: IncomingMessage,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const bytes = await readBytes(request);
  if (bytes.length === 0) return undefined;
  if (!isUtf8(bytes)) throw new QueryError(400, 'invalid', 'the body is not UTF-8');
  let value: unknown;
  try {
    value = parseExactJson(bytes.toString());
  } catch {
    throw new QueryError(400, 'invalid', 'the body is not JSON');
  }
  if (!isObject(value)) throw new QueryError(400, 'invalid', 'the body is not a JSON object');
  return value;
}

/** The bytes of a body. Throws `QueryError` 413 and 400. */
export async function readBytes(request: IncomingMessage): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) throw tooLarge(request);
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let size = 0;
    request.on('data', (piece: Buffer) => {
      size += piece.length;
      if (size > MAX_BODY_BYTES) {
        pieces.length = 0;
        reject(tooLarge(request));
      } else pieces.push(piece);
    });
    request.once('end', () => resolve(Buffer.concat(pieces)));
    const abandoned = () => reject(new QueryError(400, 'abandoned', 'the request ended half-way'));
    request.once('error', abandoned);
    request.once('close', abandoned);
  });
}

/** What is left of it is read and thrown away, so that the client gets to read the answer. */
function tooLarge(request: IncomingMessage): QueryError {
  request.resume();
  return new QueryError(413, 'too-large', `the body is larger than ${MAX_BODY_BYTES} bytes`);
}
