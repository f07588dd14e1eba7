import type { ParsedEvent } from '../events/parseEvents.ts';
import type { NewEvent } from '../events/storedEvent.ts';
import type { ExecutionResult } from './session.ts';

/** Whose events they are: in each of them. */
export interface Source {
  readonly sessionId: string;
  readonly executionId: string;
  readonly sandboxId: string;
}

/** Clients refuse longer texts. Characters. */
const MOST_TEXT = 8_000;
const MOST_RESULT = 16_000;
/** A control character is six in JSON, and an event of more than 64 KiB is refused. */
const MOST_RESULT_JSON = 40_000;

/**
 * What an agent tells of a turn (docs/agents.md) in the words of this API. `_turn` names the turn, `_seq` the agent's own number: from these a server
 * that was killed goes on. Events of an agent that mean nothing here are none.
 */
export function translate(source: Source, event: ParsedEvent, turn: string): readonly NewEvent[] {
  const { executionId, sessionId } = source;
  const own = { ...source, _turn: turn, _seq: event.id };
  const part = (id: string, more: object) => ({
    id: `${executionId}-${id}`,
    sessionID: sessionId,
    messageID: turn,
    ...more,
  });
  const told = (type: string, data: object): NewEvent => ({ type, data: { ...data, ...own } });
  switch (event.type) {
    case 'start':
      return [told('execution.started', { messageId: turn }), told('status', { status: 'started' })];
    case 'delta':
      return pieces(event.data.text).map((delta) =>
        // `content`: the SDK adds up the deltas of parts that have one.
        told('message.part.updated', { part: part('text', { type: 'text', content: delta }), delta }),
      );
    case 'thought':
      return pieces(event.data.text).map((delta) =>
        told('message.part.updated', { part: part('reasoning', { type: 'reasoning' }), delta }),
      );
    case 'tool': {
      const { id, name, status } = event.data;
      const tool = { type: 'tool', callID: short(id), tool: short(name), state: { status: stateOf(status) } };
      return [told('message.part.updated', { part: part(`tool-${short(id)}`, tool) })];
    }
    case 'end':
      return ended(told, resultOf(event.data), statusOf(event.data));
    default:
      return [];
  }
}

/** The same for one that the agent cannot be asked of any more. */
export function failed(
  source: Source,
  error: { readonly code: string; readonly message: string },
): readonly NewEvent[] {
  const told = (type: string, data: object): NewEvent => ({ type, data: { ...data, ...source } });
  return ended(told, { ...NOTHING, error }, 'failed');
}

export const NOTHING: ExecutionResult = {
  finalText: '',
  tokenUsage: { inputTokens: 0, outputTokens: 0 },
  error: undefined,
};

/** `done` is the last of each execution. */
function ended(
  told: (type: string, data: object) => NewEvent,
  result: ExecutionResult,
  status: 'completed' | 'failed' | 'cancelled',
): readonly NewEvent[] {
  const { error, ...said } = result;
  const ends = {
    completed: () => [told('result', said), told('execution.completed', {})],
    failed: () => [told('error', error ?? {}), told('execution.failed', { error })],
    cancelled: () => [told('execution.failed', { reason: 'cancelled' })],
  };
  return [...ends[status](), told('status', { status }), told('done', {})];
}

/** What a turn has come to. */
export function resultOf(turn: ParsedEvent['data']): ExecutionResult {
  const tokens = (turn.usage as { tokens?: { input?: number; output?: number } } | null)?.tokens;
  const error = turn.error as { readonly code?: unknown; readonly message?: unknown } | null | undefined;
  return {
    finalText: shortened(turn.reply, MOST_RESULT),
    tokenUsage: { inputTokens: countOf(tokens?.input), outputTokens: countOf(tokens?.output) },
    error: error ? { code: short(error.code), message: shortened(error.message, MOST_TEXT) } : undefined,
  };
}

export function statusOf({ status }: ParsedEvent['data']): 'completed' | 'failed' | 'cancelled' {
  return status === 'completed' || status === 'cancelled' ? status : 'failed';
}

/** No surrogate pair is parted. */
function pieces(text: unknown): string[] {
  const all = textOf(text);
  const found: string[] = [];
  for (let at = 0; at < all.length; ) {
    const isHalf = /[\uD800-\uDBFF]/.test(all[at + MOST_TEXT - 1] ?? '') && at + MOST_TEXT < all.length;
    const end = at + MOST_TEXT - (isHalf ? 1 : 0);
    found.push(all.slice(at, end));
    at = end;
  }
  return found;
}

function shortened(value: unknown, most: number): string {
  let text = textOf(value).slice(0, most);
  while (JSON.stringify(text).length > MOST_RESULT_JSON) text = text.slice(0, text.length / 2);
  return text;
}

/** What is inside says what it likes: an object has no text, and one that claims to have one throws. */
const textOf = (value: unknown) => (typeof value === 'string' ? value : '');
const countOf = (value: unknown) => (typeof value === 'number' && value >= 0 ? value : 0);
const short = (value: unknown) => textOf(value).slice(0, 256);

function stateOf(status: unknown): string {
  if (status === 'in_progress') return 'running';
  if (status === 'failed') return 'error';
  return short(status);
}
