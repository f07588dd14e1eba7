import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { HttpError, invalid } from './httpError.ts';

const MOST_BODY_BYTES = 2 * 2 ** 20;

/**
 * One JSON object, whatever its content type says: clients say JSON of everything, empty bodies too, which are `{}`. Throws 400, and
 * 413 for more than `mostBytes`.
 */
export async function readBody(
  request: IncomingMessage,
  mostBytes = MOST_BODY_BYTES,
): Promise<Readonly<Record<string, unknown>>> {
  const bytes = await readBytes(request, mostBytes);
  if (bytes.length === 0) return {};
  if (!isUtf8(bytes)) throw invalid({ body: 'is not UTF-8' });
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString());
  } catch {
    throw invalid({ body: 'is not JSON' });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid({ body: 'is not a JSON object' });
  return value as Readonly<Record<string, unknown>>;
}

/** The bytes as they are. Throws 413, and 400 for a body that ends half-way. */
export async function readBytes(request: IncomingMessage, mostBytes: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = Number(request.headers['content-length'] ?? 0);
  if (size > mostBytes) throw tooLarge(request, mostBytes);
  size = 0;
  try {
    for await (const piece of request as AsyncIterable<Buffer>) {
      size += piece.length;
      // What is left of it is read and thrown away, so that the client gets to read the answer.
      if (size <= mostBytes) pieces.push(piece);
      else pieces.length = 0;
      if (size > 4 * mostBytes) break;
    }
  } catch {
    throw invalid({ body: 'ended half-way' });
  }
  if (size > mostBytes) throw tooLarge(request, mostBytes);
  return Buffer.concat(pieces);
}

function tooLarge(request: IncomingMessage, mostBytes: number): HttpError {
  request.resume();
  return new HttpError(413, 'PAYLOAD_TOO_LARGE', `the body is larger than ${mostBytes} bytes`, {
    limit: mostBytes,
  });
}
