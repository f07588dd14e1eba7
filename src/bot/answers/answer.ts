import { isUtf8 } from 'node:buffer';
import type { QueryOutcome } from './queryError.ts';

/**
 * The room of what a client gets: the parts of a query server that the agent (one bot, port 9476) and the host's gateway (all bots,
 * port 9477) have in common.
 *
 *   createLimitedServer, listen   a server that limits what one client may hold
 *   tokenCheck                    may this client ask?
 *   parameters, readBody          what it asks: path, query string and JSON body, each up to a limit
 *   answer, queryError            the envelope `{status, data | error}`, and refusals in it
 *   respond                       the bytes out
 */

/** What every query gets. Programs may add members of their own. */
export type Answer =
  | { readonly status: 'ok'; readonly data?: unknown }
  | { readonly status: 'error'; readonly error: string };

/** An answer on its way to the client. */
export interface Answered {
  readonly status: number;
  readonly body: Buffer;
  readonly outcome: QueryOutcome;
}

/** Bytes of an answer, at most. */
export const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

export function errorAnswer(message: string): Answer {
  return { status: 'error', error: message };
}

/** The answer in these bytes, or undefined when they follow no envelope. A missing `data` is a handler's `undefined`. */
export function parseAnswer(bytes: Buffer): Answer | undefined {
  if (!isUtf8(bytes)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { status, error } = value as { status?: unknown; error?: unknown };
  if (status === 'ok') return value as Answer;
  return status === 'error' && typeof error === 'string' ? (value as Answer) : undefined;
}

/** The start of what is not an answer, for the message about it. */
export function excerpt(bytes: Buffer): string {
  const text = bytes.subarray(0, 200).toString().trim();
  if (text === '') return 'nothing';
  return JSON.stringify(bytes.length > 200 ? `${text}…` : text);
}
