import { cursorOf } from '../events/cursorOf.ts';
import { streamOf } from '../events/streamOf.ts';
import type { Call } from '../http/route.ts';
import type { Parts } from '../parts.ts';
import { SESSION_DELETED, type Session } from './session.ts';

/** Answers a call with a session's events, until it is deleted. Without a number all of them: what a session is, is all of it. */
export async function streamSession(parts: Parts, call: Call, { id }: Session): Promise<undefined> {
  const cursor = cursorOf(call.query, call.request) ?? 0;
  return await streamOf(parts, call, { kind: 'sessions', id, cursor, last: [SESSION_DELETED] });
}
