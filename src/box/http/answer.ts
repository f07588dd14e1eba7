import type { ServerResponse } from 'node:http';
import { respond } from '../../bot/answers/respond.ts';
import type { BoxError } from './boxError.ts';

/** A whole answer, as JSON. */
export function answerJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  respond(response, status, Buffer.from(JSON.stringify(value)), headers);
}

/** `{success, data}`: what most of the API answers. */
export const answerData = (response: ServerResponse, data: unknown) =>
  answerJson(response, 200, { success: true, data });

/** Once a stream has begun there is no status left to say it with: the connection is cut. */
export function answerError(response: ServerResponse, error: BoxError): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { status, code, message, facts, headers } = error;
  const wait = status === 429 || status === 503 ? { 'retry-after': '1' } : undefined;
  answerJson(
    response,
    status,
    { success: false, error: message, message, code, ...facts },
    { ...headers, ...wait },
  );
}
