import { isObject } from '../../../bot/config/parsers.ts';
import type { TurnEvent } from '../agentLink.ts';

const MAX_NAME = 200;

/**
 * What an update of a session says of the turn under way; undefined: nothing that a client sees. `tools`: the names of the turn's
 * tool calls by id, since later updates leave them out.
 */
export function readUpdate(update: unknown, tools: Map<string, string>): TurnEvent | undefined {
  if (!isObject(update)) return undefined;
  switch (update.sessionUpdate) {
    case 'agent_message_chunk':
      return chunk('delta', update.content);
    case 'agent_thought_chunk':
      return chunk('thought', update.content);
    case 'tool_call':
    case 'tool_call_update':
      return tool(update, tools);
    default:
      return undefined;
  }
}

function chunk(type: 'delta' | 'thought', content: unknown): TurnEvent | undefined {
  const text = isObject(content) ? textOf(content) : undefined;
  return typeof text === 'string' && text !== '' ? { type, text } : undefined;
}

/** Of a block that is a text, holds one, or names where there is one. */
function textOf({ type, text, resource, uri }: Record<string, unknown>): unknown {
  if (type === 'resource') return isObject(resource) ? resource.text : undefined;
  return type === 'resource_link' ? uri : text;
}

function tool(update: Record<string, unknown>, tools: Map<string, string>): TurnEvent | undefined {
  const { toolCallId, title, name, status, sessionUpdate } = update;
  if (typeof toolCallId !== 'string') return undefined;
  const said = [name, title].find((text): text is string => typeof text === 'string' && text !== '');
  const known = said?.slice(0, MAX_NAME) ?? tools.get(toolCallId) ?? 'tool';
  tools.set(toolCallId, known);
  const now = typeof status === 'string' ? status : sessionUpdate === 'tool_call' ? 'pending' : undefined;
  return now === undefined ? undefined : { type: 'tool', id: toolCallId, name: known, status: now };
}
