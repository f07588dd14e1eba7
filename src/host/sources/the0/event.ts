import { isObject, parseJson } from '../../../bot/config/parsers.ts';
import { nextTime } from './nextTime.ts';

/** The six subjects that the API publishes on. */
export const subjects = ['bot', 'bot-schedule'].flatMap((kind) =>
  ['created', 'updated', 'deleted'].map((verb) => `the0.${kind}.${verb}`),
);

/** What a message asks for, done to one collection. */
export type Change = { readonly type: 'realtime' | 'scheduled'; readonly id: string } & (
  | { readonly verb: 'created' | 'updated'; readonly config: object; readonly custom: object }
  | { readonly verb: 'deleted' }
);

/** A message of the API; a sentence for one that can never be understood. */
export function readEvent(subject: string, text: string): Change | string {
  const [, kind, verb] = /^the0\.(bot|bot-schedule)\.(created|updated|deleted)$/.exec(subject) ?? [];
  if (kind === undefined || verb === undefined) return `not a subject of ours: ${subject}`;
  const message = parseJson(text);
  if (!isObject(message)) return 'not a JSON object';
  // Realtime messages may come wrapped.
  const body = isObject(message.data) && message.id === undefined ? message.data : message;
  if (typeof body.id !== 'string' || body.id === '') return 'id: missing';
  const type = kind === 'bot' ? 'realtime' : 'scheduled';
  if (verb === 'deleted') return { type, id: body.id, verb };
  if (!isObject(body.config) || !isObject(body.custom)) return 'config or custom: missing';
  if (type === 'scheduled' && (typeof body.config.schedule !== 'string' || body.config.schedule === ''))
    return 'config.schedule: missing';
  return { type, id: body.id, verb: verb as 'created' | 'updated', config: body.config, custom: body.custom };
}

/** A collection of documents, as far as an event needs it. */
export interface BotCollection {
  findOne(filter: { id: string }): Promise<Record<string, unknown> | null>;
  insertOne(document: Record<string, unknown>): Promise<unknown>;
  updateOne(filter: { id: string }, change: { $set: Record<string, unknown> }): Promise<unknown>;
  deleteOne(filter: { id: string }): Promise<unknown>;
}

/** Writes what the0's services would write. Doing it again changes nothing. `now` in milliseconds. */
export async function applyEvent(change: Change, collection: BotCollection, now: number): Promise<void> {
  const { id, type } = change;
  if (change.verb === 'deleted') return void (await collection.deleteOne({ id }));
  const { config, custom, verb } = change;
  const before = await collection.findOne({ id });
  const schedule = (config as { schedule?: string }).schedule ?? '';
  const next = type === 'scheduled' ? nextTime(schedule, now) : undefined;
  const time = next === undefined ? {} : { next_execution_time: next };
  if (before === null) {
    await collection.insertOne({ id, segment_id: 0, config, custom, ...time });
    return;
  }
  if (verb === 'created') return;
  const isOther = isObject(before.config) && before.config.schedule !== schedule;
  await collection.updateOne({ id }, { $set: { config, custom, ...(isOther ? time : {}) } });
}
