import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { isObject } from '../../../bot/config/parsers.ts';
import type { ContentPart } from '../../links/agentLink.ts';
import { CONVERSATION, type Keyed } from '../entry.ts';
import { Refusal } from '../refusal.ts';
import type { RestartRequest } from '../restarts.ts';
import type { NewTurn } from '../turns.ts';
import { metadataProblem } from './metadataProblem.ts';

/** Base64 of an image, characters. */
const base64 = v.pipe(v.string(), v.nonEmpty('must not be empty'), v.base64('is not base64'));

const text = v.strictObject({
  type: v.literal('text'),
  text: v.pipe(v.string(), v.nonEmpty('must not be empty')),
});
const image = v.strictObject({
  type: v.literal('image'),
  mimeType: v.pipe(v.string(), v.regex(/^image\/[\w.+-]{1,100}$/, 'is not the type of an image')),
  data: base64,
});

const messageBody = v.strictObject({
  message: v.union(
    [
      v.pipe(v.string(), v.regex(/\S/, 'must not be empty')),
      v.pipe(v.array(v.variant('type', [text, image])), v.minLength(1, 'must not be empty'), v.maxLength(64)),
    ],
    'must be a text that is not empty, or a list of content parts',
  ),
  conversation: v.optional(v.pipe(v.string(), v.regex(CONVERSATION, 'must match [A-Za-z0-9._:-]{1,128}'))),
  stream: v.optional(v.boolean('must be true or false')),
  metadata: v.optional(v.custom<Record<string, unknown>>(isObject, 'must be an object')),
});

const restartBody = v.strictObject({
  reason: v.optional(v.pipe(v.string(), v.maxLength(1000, 'is longer than 1000 characters'))),
  save: v.optional(v.picklist(['required', 'try'], 'must be `required` or `try`')),
  graceSeconds: v.optional(
    v.pipe(
      v.number('must be a number of seconds'),
      v.minValue(0, 'must not be negative'),
      v.maxValue(3600, 'is more than an hour'),
    ),
  ),
});

export interface ReadMessage extends NewTurn {
  readonly stream: boolean | undefined;
}

/** Throws `Refusal` 400. `attachments`: types of content parts that the agent takes. */
export function readMessage(
  body: unknown,
  key: string | undefined,
  attachments: readonly string[],
): ReadMessage {
  const { message, conversation, stream, metadata = {} } = parse(messageBody, body);
  const parts: readonly ContentPart[] =
    typeof message === 'string' ? [{ type: 'text', text: message }] : message;
  const strange = parts.find(({ type }) => type !== 'text' && !attachments.includes(type));
  if (strange) {
    throw new Refusal(
      400,
      'bad_request',
      `message: this agent takes no ${strange.type}, only ${attachments.join(', ')}`,
    );
  }
  const problem = metadataProblem(metadata);
  if (problem !== undefined) throw new Refusal(400, 'bad_request', `metadata: ${problem}`);
  const keyed = readKey(key, ['messages', message, conversation, metadata]);
  return { message: parts.map(wellFormed), conversation, stream, metadata, keyed };
}

/** Half a character, which clients leave where they cut a text, is none in UTF-8: agents fail on it, and so do the models that they ask. */
function wellFormed(part: ContentPart): ContentPart {
  return part.type === 'text' ? { type: 'text', text: part.text.toWellFormed() } : part;
}

/** Throws `Refusal` 400. */
export function readRestart(body: unknown, key: string | undefined): RestartRequest {
  const { reason, save = 'required', graceSeconds = 10 } = parse(restartBody, body ?? {});
  return { reason, save, graceSeconds, keyed: readKey(key, ['restart', reason, save, graceSeconds]) };
}

function parse<Schema extends v.GenericSchema>(schema: Schema, body: unknown): v.InferOutput<Schema> {
  const parsed = v.safeParse(schema, body);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  const path = (issue.path ?? []).map(({ key }) => String(key)).join('.');
  const what =
    issue.type === 'strict_object' && path !== ''
      ? issue.expected === 'never'
        ? 'there is no such field'
        : 'is missing'
      : issue.message;
  throw new Refusal(400, 'bad_request', path === '' ? `the body: ${what}` : `${path}: ${what}`);
}

/** What was asked is compared by its meaning: neither the order of fields nor how the answer is wanted is part of it. */
function readKey(key: string | undefined, request: readonly unknown[]): Keyed | undefined {
  if (key === undefined) return undefined;
  if (!/^[\x21-\x7e]{1,255}$/.test(key)) {
    throw new Refusal(400, 'bad_request', 'Idempotency-Key must be 1 to 255 visible ASCII characters');
  }
  return {
    key,
    hash: createHash('sha256')
      .update(JSON.stringify(sorted(request)))
      .digest('base64'),
  };
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, inner]) => [name, sorted(inner)]);
}
