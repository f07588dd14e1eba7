import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { BodyBudget } from './bodyBudget.ts';
import { BoxError } from './boxError.ts';

/** A client that sends nothing for as long has given up. Milliseconds. */
export const STALLED_MS = 60_000;

export type JsonObject = Readonly<Record<string, unknown>>;

/** The object in a body, whatever its content type says; an empty body is an empty object. Throws `BoxError` 400, 408, 413 and 429. */
export async function readJson(
  request: IncomingMessage,
  mostBytes: number,
  budget?: BodyBudget,
): Promise<JsonObject> {
  const bytes = await readBytes(request, mostBytes, budget);
  if (bytes.length === 0) return {};
  if (!isUtf8(bytes)) throw new BoxError(400, 'VALIDATION_ERROR', 'the body is not UTF-8');
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString());
  } catch {
    throw new BoxError(400, 'VALIDATION_ERROR', 'the body is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new BoxError(400, 'VALIDATION_ERROR', 'the body is not a JSON object');
  }
  return value as JsonObject;
}

async function readBytes(
  request: IncomingMessage,
  mostBytes: number,
  budget: BodyBudget | undefined,
): Promise<Buffer> {
  const tooLarge = () => {
    // What is left of it is read and thrown away, so that the client gets to read the answer.
    request.resume();
    return new BoxError(413, 'PAYLOAD_TOO_LARGE', `the body is larger than ${mostBytes} bytes`, {
      limit: mostBytes,
    });
  };
  if (Number(request.headers['content-length'] ?? 0) > mostBytes) throw tooLarge();
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const late = setTimeout(() => reject(new BoxError(408, 'TIMEOUT', 'the body stopped coming')), STALLED_MS);
  const pieces: Buffer[] = [];
  let size = 0;
  let isRefused = false;
  request.on('data', (piece: Buffer) => {
    late.refresh();
    if (isRefused) return;
    try {
      if (size + piece.length > mostBytes) throw tooLarge();
      budget?.take(piece.length);
      size += piece.length;
      pieces.push(piece);
    } catch (error) {
      isRefused = true;
      pieces.length = 0;
      reject(error);
    }
  });
  request.once('end', () => resolve(Buffer.concat(pieces)));
  request.once('close', () => reject(new BoxError(400, 'ABANDONED', 'the request ended half-way')));
  request.once('close', () => budget?.give(size));
  return await promise.finally(() => clearTimeout(late));
}
