import { isObject } from '../../bot/config/parsers.ts';
import type { Tokens } from './agentLink.ts';

/** A conversation as the agent knows it. It is kept with the saved state, as text. */
export interface SessionName {
  readonly id: string;
  /** The life of the process that it was last used in, and which has said `seen`. */
  readonly instance?: string | undefined;
  /** The last figures of a session whose usage adds up. */
  readonly seen?: Tokens | undefined;
}

export function writeSession({ id, instance, seen }: SessionName): string {
  return JSON.stringify({ id, instance, seen });
}

export function readSession(text: string): SessionName {
  if (!text.startsWith('{')) return { id: text };
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value) && typeof value.id === 'string') return value as unknown as SessionName;
  } catch {
    // A name that begins with a brace.
  }
  return { id: text };
}

const MAX_DEPTH = 3;

/**
 * Whether an answer to `session/resume` names another session than the one that was asked for: Hermes begins a new one and tells so
 * only in `_meta`, and refuses what is then said to the old one.
 */
export function isAnotherSession(result: Readonly<Record<string, unknown>>, id: string): boolean {
  const { sessionId, _meta } = result;
  const names = [sessionId, ...sessionIds(_meta, 0)].filter((name) => typeof name === 'string');
  return names.length > 0 && !names.includes(id);
}

function sessionIds(value: unknown, depth: number): unknown[] {
  if (!isObject(value) || depth > MAX_DEPTH) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    name === 'sessionId' || name === 'acpSessionId' ? [inner] : sessionIds(inner, depth + 1),
  );
}
