import * as v from 'valibot';
import type { LogItem } from './eventLog.ts';

/*
 * What is kept of turns below STATE_PATH, a line of JSON each (`journal.ts`). The bot can write there as well, so every line is read with
 * limits, and one that is no entry is left out. No entry holds what was said to the agent.
 */

const id = v.pipe(v.string(), v.regex(/^msg_[A-Za-z0-9_-]{1,64}$/));
const restartId = v.pipe(v.string(), v.regex(/^rst_[A-Za-z0-9_-]{1,64}$/));
/** As in the protocol. */
export const CONVERSATION = /^[A-Za-z0-9._:-]{1,128}$/;
const conversation = v.pipe(v.string(), v.regex(CONVERSATION));
const count = v.pipe(v.number(), v.finite(), v.minValue(0));
const shortText = v.pipe(v.string(), v.maxLength(4096));

const tokens = v.object({
  input: count,
  output: count,
  cacheRead: count,
  cacheWrite: count,
  reasoning: count,
  total: count,
});

const usage = v.object({
  model: v.nullable(shortText),
  provider: v.nullable(shortText),
  tokens,
  source: v.picklist(['reported', 'estimated']),
  usd: v.nullable(count),
});

const stopReason = v.picklist(['end', 'max_tokens', 'max_turns', 'refusal', 'cancelled', 'error']);

const failure = v.picklist([
  'agent_failed',
  'agent_died',
  'agent_refused',
  'agent_unreachable',
  'interrupted',
  'timeout',
]);

/** A key, and what was asked with it: the SHA-256 of the request, in base64. */
const keyed = v.object({ key: v.pipe(v.string(), v.regex(/^[\x21-\x7e]{1,255}$/)), hash: shortText });

/** On its way: written before anything is sent to the agent. */
const accepted = v.object({
  t: v.literal('accepted'),
  id,
  conversation,
  at: count,
  bytes: count,
  keyed: v.optional(keyed),
});

const item = v.union([
  v.tuple([v.literal('d'), count]),
  v.tuple([v.literal('h'), v.string()]),
  v.tuple([v.literal('t'), v.string(), v.string(), v.string()]),
]);

const ended = v.object({
  t: v.literal('ended'),
  id,
  status: v.picklist(['completed', 'failed', 'cancelled']),
  stopReason: v.nullable(stopReason),
  reply: v.string(),
  items: v.array(item),
  usage: v.nullable(usage),
  startedAt: v.nullable(count),
  endedAt: count,
  firstTokenMs: v.nullable(count),
  error: v.optional(v.object({ code: failure, message: shortText })),
  /** The agent's own name of the conversation. */
  session: v.optional(shortText),
});

/** A conversation's session, where the turn that told it is not kept any more. */
const session = v.object({ t: v.literal('session'), conversation, session: shortText });

/** A key whose turn or restart is not kept any more, or whose restart was under way with another key already. */
const spent = v.object({ t: v.literal('spent'), id: v.union([id, restartId]), at: count, keyed });

/** A restart, each time that it changes. */
const restart = v.object({
  t: v.literal('restart'),
  restart: v.object({
    id: restartId,
    status: v.picklist(['running', 'done', 'failed']),
    phase: v.picklist(['draining', 'stopping', 'saving', 'starting', 'done']),
    stateSaved: v.boolean(),
    snapshot: v.optional(shortText),
    reason: v.optional(shortText),
    before: v.nullable(v.object({ instance: shortText })),
    after: v.nullable(v.object({ instance: shortText })),
    startedAt: shortText,
    endedAt: v.nullable(shortText),
    error: v.optional(v.object({ code: shortText, message: shortText })),
  }),
  at: count,
  keyed: v.optional(keyed),
});

const entry = v.variant('t', [accepted, ended, session, spent, restart]);

export type Entry = v.InferOutput<typeof entry>;
export type Accepted = v.InferOutput<typeof accepted>;
export type Ended = v.InferOutput<typeof ended>;
export type Restart = v.InferOutput<typeof restart>['restart'];
export type Keyed = v.InferOutput<typeof keyed>;

/** The entry of a line, or undefined where it is none. */
export function parseEntry(line: string): Entry | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  const parsed = v.safeParse(entry, value);
  if (!parsed.success) return undefined;
  const found = parsed.output;
  return found.t === 'ended' && !isWhole(found.reply, found.items) ? undefined : found;
}

/** The deltas joined are the reply. */
function isWhole(reply: string, items: readonly LogItem[]): boolean {
  const length = items.reduce((sum, found) => sum + (found[0] === 'd' ? found[1] : 0), 0);
  return length === reply.length;
}
