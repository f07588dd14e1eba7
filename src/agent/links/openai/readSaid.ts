import { isObject } from '../../../bot/config/parsers.ts';
import type { TurnEvent } from '../agentLink.ts';

/** What a `delta` or a `message` of a completion says: a text, or a list of parts, some of which are thoughts. */
export function readSaid(said: Readonly<Record<string, unknown>>): readonly TurnEvent[] {
  return [
    ...events('thought', said.reasoning_content ?? said.reasoning),
    ...contentOf(said.content),
    ...events('delta', said.refusal),
  ];
}

function contentOf(content: unknown): readonly TurnEvent[] {
  if (!Array.isArray(content)) return events('delta', content);
  return content.filter(isObject).flatMap((part) => {
    if (part.type === 'thinking') return events('thought', textOf(part.thinking));
    return events('delta', part.text ?? part.refusal);
  });
}

/** A text, or the texts of a list of parts. */
function textOf(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  return value
    .filter(isObject)
    .map(({ text }) => (typeof text === 'string' ? text : ''))
    .join('');
}

function events(type: 'delta' | 'thought', text: unknown): readonly TurnEvent[] {
  return typeof text === 'string' && text !== '' ? [{ type, text }] : [];
}
