import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import * as v from 'valibot';
import { STREAM_NAME } from '../events/eventBus.ts';
import { invalid } from '../http/httpError.ts';
import { smallJson } from '../http/smallJson.ts';

export interface Prompt {
  /** Empty: the client wants to see one that goes on. */
  readonly message: string;
  readonly sessionId: string | undefined;
  /** The client's own name for what becomes of it: given again, it is the same. */
  readonly executionId: string | undefined;
  readonly metadata: Readonly<Record<string, unknown>>;
}

const name = v.pipe(v.string(), v.regex(STREAM_NAME, 'expected [A-Za-z0-9._-]{1,128}'));

/** Both shapes: `{identifier, message}`, and the newer one with `parts` whose texts are base64. */
const schema = v.object({
  message: v.nullish(v.string(), ''),
  parts: v.nullish(
    v.pipe(v.array(v.object({ type: v.string(), text: v.nullish(v.string()) })), v.maxLength(64)),
  ),
  sessionId: v.nullish(name),
  executionId: v.nullish(name),
  metadata: v.nullish(v.pipe(v.record(v.string(), v.unknown()), smallJson()), {}),
});

/** Throws 400. */
export function readPrompt(
  body: Readonly<Record<string, unknown>>,
  { headers }: Pick<IncomingMessage, 'headers'>,
): Prompt {
  const read = v.safeParse(schema, body);
  if (!read.success)
    throw invalid({ [String(read.issues[0].path?.[0]?.key ?? 'body')]: read.issues[0].message });
  const { message, parts, sessionId, executionId, metadata } = read.output;
  const header = headers['x-execution-id'];
  if (header !== undefined && !(typeof header === 'string' && STREAM_NAME.test(header)))
    throw invalid({ 'X-Execution-ID': 'expected [A-Za-z0-9._-]{1,128}' });
  const given = executionId ?? (header as string | undefined);
  const other = parts?.find(({ type }) => type !== 'text');
  if (other !== undefined)
    throw invalid({ parts: `a part of the type ${other.type.slice(0, 50)}: only text is taken` });
  const text = parts?.length ? parts.map((part) => decoded(part.text ?? '')).join('\n') : message;
  if (text.trim() === '' && given === undefined) throw invalid({ message: 'must not be empty' });
  return {
    message: text.trim() === '' ? '' : text,
    sessionId: sessionId ?? undefined,
    executionId: given,
    metadata,
  };
}

/** What is no base64 of a text was sent as it is. */
function decoded(text: string): string {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return text;
  const bytes = Buffer.from(text, 'base64');
  return isUtf8(bytes) ? bytes.toString() : text;
}
