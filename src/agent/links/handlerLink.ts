import { orAborted } from '../../base/orAborted.ts';
import { isObject } from '../../bot/config/parsers.ts';
import {
  type AgentDescription,
  AgentError,
  type AgentLink,
  CANCEL_MS,
  type Capabilities,
  type LinkOptions,
  type ReportedUsage,
  type StopReason,
  type TurnEnd,
  type TurnEvent,
  type TurnRequest,
} from './agentLink.ts';
import { splitLines } from './splitLines.ts';

export interface HandlerLinkOptions extends LinkOptions {
  /** What the agent is called. */
  readonly name: string;
}

/**
 * To a handler of ours: lines of JSON over descriptor 3 of its launcher (src/bot/kinds/python/agent.py, node/agent.cjs).
 *
 *     {type: "hello"}                                              the first word of a link; answered when the bot is loaded
 *     {type: "message", id, conversation, text, parts?, metadata}
 *     {type: "cancel", id}
 *
 * and the other way `{type: "hello", version, capabilities}`, then for each turn `{id, type: "delta" | "thought" | "tool" | "usage"}`
 * and last `{id, type: "end" | "error"}`. Bot code can write there, too: what is not of this shape is dropped.
 */
export function handlerLink({ channel, clock, log, name }: HandlerLinkOptions): AgentLink {
  const turns = new Map<string, (line: Record<string, unknown>) => void>();
  const hello = Promise.withResolvers<AgentDescription>();
  let isWarned = false;
  const strange = (what: string) => {
    if (!isWarned) log.warn(`the agent sent ${what}, which is left out`);
    isWarned = true;
  };

  const take = (text: string) => {
    let line: unknown;
    try {
      line = JSON.parse(text);
    } catch {
      return strange('a line that is no JSON');
    }
    if (!isObject(line)) return strange('a line that is no message');
    if (line.type === 'hello') hello.resolve(describe(line, name));
    else if (typeof line.id === 'string') turns.get(line.id)?.(line);
  };
  channel.listen(splitLines({ line: take, tooLong: () => strange('a line that is too long') }));
  const write = (line: object) => channel.write(`${JSON.stringify(line)}\n`);
  write({ type: 'hello' });

  return {
    ready: async (signal) => await orAborted(hello.promise, signal),
    send: async (turn, tell, signal) => {
      const { id } = turn;
      const ended = Promise.withResolvers<TurnEnd>();
      ended.promise.catch(() => undefined);
      const died = () => ended.reject(channel.closed.reason);
      const cancel = () => {
        write({ type: 'cancel', id });
        clock.sleep(CANCEL_MS, channel.closed).then(
          () => ended.reject(signal.reason),
          () => undefined,
        );
      };
      turns.set(id, (line) => {
        const event = eventOf(line);
        if (event) tell(event);
        else if (line.type === 'end') ended.resolve({ stopReason: stopReasonOf(line.stopReason) });
        else if (line.type === 'error') {
          ended.reject(new AgentError('agent_failed', text(line.message, 'the handler failed')));
        } else strange('a line of no known type');
      });
      try {
        signal.throwIfAborted();
        if (channel.closed.aborted || !write(messageOf(turn))) {
          throw new AgentError('agent_unreachable', 'the agent does not run');
        }
        channel.closed.addEventListener('abort', died, { once: true });
        signal.addEventListener('abort', cancel, { once: true });
        return await ended.promise;
      } finally {
        turns.delete(id);
        channel.closed.removeEventListener('abort', died);
        signal.removeEventListener('abort', cancel);
      }
    },
    close: async () => undefined,
  };
}

function messageOf({ id, conversation, message, metadata }: TurnRequest): object {
  const words = message.flatMap((part) => (part.type === 'text' ? [part.text] : []));
  const isPlain = message.length === 1 && words.length === 1;
  return {
    type: 'message',
    id,
    conversation,
    text: words.join('\n'),
    ...(isPlain ? {} : { parts: message }),
    metadata,
  };
}

function eventOf(line: Record<string, unknown>): TurnEvent | undefined {
  if ((line.type === 'delta' || line.type === 'thought') && typeof line.text === 'string') {
    return { type: line.type, text: line.text };
  }
  if (line.type === 'tool') {
    return {
      type: 'tool',
      id: text(line.tool, ''),
      name: text(line.name, ''),
      status: text(line.status, ''),
    };
  }
  if (line.type === 'usage' && isObject(line.usage)) return { type: 'usage', usage: usageOf(line.usage) };
  return undefined;
}

/** Amounts are looked at where they are added up; names are held to a length here. */
function usageOf({ model, provider, usd, tokens, costs }: Record<string, unknown>): ReportedUsage {
  const list = Array.isArray(costs) ? costs.filter(isObject).slice(0, 100) : [];
  return {
    ...(typeof model === 'string' ? { model: text(model, '') } : {}),
    ...(typeof provider === 'string' ? { provider: text(provider, '') } : {}),
    ...(typeof usd === 'number' ? { usd } : {}),
    ...(isObject(tokens) ? { tokens: amounts(tokens) } : {}),
    costs: list.map((cost) => ({
      type: text(cost.type, 'other'),
      unit: text(cost.unit, 'unit'),
      quantity: typeof cost.quantity === 'number' ? cost.quantity : 0,
      usd: typeof cost.usd === 'number' ? cost.usd : null,
    })),
  };
}

const TOKENS = ['input', 'output', 'cacheRead', 'cacheWrite', 'reasoning', 'total'] as const;

function amounts(tokens: Record<string, unknown>): NonNullable<ReportedUsage['tokens']> {
  return Object.fromEntries(
    TOKENS.flatMap((name) => (typeof tokens[name] === 'number' ? [[name, tokens[name]]] : [])),
  );
}

function stopReasonOf(value: unknown): StopReason {
  const known = ['max_tokens', 'max_turns', 'refusal', 'cancelled', 'error'] as const;
  return known.find((reason) => reason === value) ?? 'end';
}

function describe({ version, capabilities }: Record<string, unknown>, name: string): AgentDescription {
  const said = isObject(capabilities) ? capabilities : {};
  const { conversations, usage, attachments, concurrency } = said;
  const found: Capabilities = {
    streaming: true,
    cancel: true,
    conversations: conversations === 'persistent' || conversations === 'process' ? conversations : 'none',
    // Of a turn for which a handler reports nothing, what went in and out is counted.
    usage: usage === 'reported' ? 'reported' : 'estimated',
    attachments: Array.isArray(attachments) && attachments.includes('image') ? ['text', 'image'] : ['text'],
    ...(Number.isSafeInteger(concurrency) && (concurrency as number) > 0
      ? { concurrency: concurrency as number }
      : {}),
  };
  return { agent: { name, version: text(version, '') }, capabilities: found };
}

function text(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value.slice(0, 4096) : otherwise;
}
