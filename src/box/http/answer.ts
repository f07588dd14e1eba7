import type { ServerResponse } from 'node:http';
import type { BoxError } from './boxError.ts';

/** Longer answers are not worth copying into one write with their head. */
const JOINED_BYTES = 64 * 1024;

/** A whole answer, as JSON. */
export function answerJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (response.destroyed || response.headersSent) return;
  const text = JSON.stringify(value);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    ...headers,
  });
  if (text.length < JOINED_BYTES) response.end(text);
  else response.end(Buffer.from(text));
}

/** `{success, data}`: what most of the API answers. */
export const answerData = (response: ServerResponse, data: unknown, status = 200) =>
  answerJson(response, status, { success: true, data });

/** Once a stream has begun there is no status left to say it with: the connection is cut. */
export function answerError(response: ServerResponse, error: BoxError): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { status, code, message, facts } = error;
  const wait = status === 429 || status === 503 ? { 'retry-after': '1' } : undefined;
  answerJson(response, status, { success: false, error: message, message, code, ...facts }, wait);
}
