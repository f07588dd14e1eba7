import { expect } from 'vitest';
import type { ProtocolClient, StreamEvent, Turn } from './protocolClient.ts';

interface Totals {
  readonly turns: { readonly completed: number; readonly failed: number; readonly cancelled: number };
  readonly tokens: { readonly total: number };
  readonly source: string;
}

/** However slow an agent starts, and however busy the machine is. */
const PATIENCE = { timeout: Number(process.env.RUNTIME_TEST_PATIENCE ?? 60_000), interval: 200 };

/** Until the agent takes messages. */
export async function ready(client: ProtocolClient): Promise<string> {
  await expect
    .poll(async () => (await client.get('/health').catch(() => undefined))?.status, PATIENCE)
    .toBe(200);
  const { body } = await client.get<{ instance: string; protocol: string; ready: boolean }>('/health');
  expect(body).toMatchObject({ ready: true, protocol: '1' });
  return body.instance;
}

function joined(events: readonly StreamEvent[]): string {
  return events.map(({ event, data }) => (event === 'delta' ? data.text : '')).join('');
}

/**
 * The whole protocol, the same for every agent there is: no line in here knows a kind. Of the agent it asks that it answers
 * `say WORD` with all words that it was told to say in that conversation, as far as its capabilities say that it has any memory.
 * Resolves with the ids of all turns.
 */
export async function driveAgent(client: ProtocolClient): Promise<readonly string[]> {
  const turns: Turn[] = [];
  const say = async (text: string, conversation: string) => {
    const { status, body } = await client.post<Turn>('/messages', { message: text, conversation });
    expect([status, body.status], JSON.stringify(body)).toEqual([200, 'completed']);
    turns.push(body);
    return body;
  };

  const before = await ready(client);
  const { capabilities, protocol, kind, agent } = (
    await client.get<{
      protocol: string;
      kind: string;
      agent: object;
      capabilities: { conversations: string; usage: string; streaming: boolean };
    }>('')
  ).body;
  expect(protocol).toBe('1');
  expect(kind).toBeTypeOf('string');
  expect(agent).toEqual({ name: expect.any(String), version: expect.any(String) });
  const remembers = capabilities.conversations !== 'none';

  // One after the other, streamed and not, in one conversation; another one knows nothing of it.
  const first = await say('say apple', 'one');
  expect(first).toMatchObject({ id: expect.stringMatching(/^msg_/), conversation: 'one', stopReason: 'end' });
  expect(first.reply).toContain('apple');
  const events = await client.stream({ message: [{ type: 'text', text: 'say pear' }], conversation: 'one' });
  expect(events.map(({ event }) => event)).toEqual(expect.arrayContaining(['start', 'delta', 'end']));
  expect(events[0]?.event).toBe('start');
  expect(events.map(({ id }) => id)).toEqual(events.map((_, index) => index + 1));
  const streamed = events.at(-1)?.data as unknown as Turn;
  expect(streamed.status, JSON.stringify(streamed)).toBe('completed');
  turns.push(streamed);
  expect(streamed.reply).toBe(joined(events));
  expect(streamed.reply).toContain('pear');
  if (remembers) expect(streamed.reply).toContain('apple');
  expect((await say('say fig', 'two')).reply).not.toContain('apple');

  // The turn stays, under its id; its stream again, and from the middle on.
  expect((await client.get(`/messages/${streamed.id}`)).body).toEqual(streamed);
  expect(await client.events(`/messages/${streamed.id}/events`)).toEqual(events);
  expect(await client.events(`/messages/${streamed.id}/events`, 2)).toEqual(events.slice(2));

  // A key makes it one turn.
  const key = { 'idempotency-key': 'a-key' };
  const message = { message: 'say plum', conversation: 'three' };
  const keyed = await client.post<Turn>('/messages', message, key);
  expect(keyed.body.status, JSON.stringify(keyed.body)).toBe('completed');
  turns.push(keyed.body);
  const again = await client.post<Turn>('/messages', message, key);
  expect(again.body).toEqual(keyed.body);
  expect(again.headers.get('idempotency-replayed')).toBe('true');
  expect((await client.post('/messages', { message: 'other' }, key)).status).toBe(409);

  // What is wrong is said, in one shape.
  for (const [path, body, status, code] of [
    ['/messages', { message: '' }, 400, 'bad_request'],
    ['/messages', { message: 'x', colour: 'red' }, 400, 'bad_request'],
    ['/messages/msg_none/cancel', {}, 404, 'not_found'],
  ] as const) {
    const refused = await client.post(path, body);
    expect([refused.status, refused.body.status, refused.body.code]).toEqual([status, 'error', code]);
  }

  // Totals are the sum of the turns, each once.
  const sum = () => turns.reduce((total, { usage }) => total + (usage?.tokens.total ?? Number.NaN), 0);
  const usage = async () => (await client.get<Totals>('/usage')).body;
  expect(await usage()).toMatchObject({
    turns: { completed: turns.length, failed: 0, cancelled: 0 },
    tokens: { total: sum() },
    source: capabilities.usage,
  });
  expect(sum()).toBeGreaterThan(0);
  expect((await client.get<Totals>('/usage?conversation=two')).body.turns.completed).toBe(1);

  // Another life of the agent: conversation, keys and totals go on.
  const asked = await client.post<{ id: string }>('/restart', { reason: 'a test' });
  expect(asked.status).toBe(202);
  const progress = () => client.get<{ status: string }>(`/restart/${asked.body.id}`);
  await expect.poll(async () => (await progress()).body.status, PATIENCE).not.toBe('running');
  expect((await progress()).body).toMatchObject({
    status: 'done',
    stateSaved: true,
    before: { instance: before },
  });
  const after = await ready(client);
  expect(after).not.toBe(before);
  const { reply } = await say('say cherry', 'one');
  expect(reply).toContain('cherry');
  if (capabilities.conversations === 'persistent') expect(reply).toMatch(/apple.*pear.*cherry/s);
  expect((await client.post<Turn>('/messages', message, key)).body).toEqual(keyed.body);
  expect(await usage()).toMatchObject({ turns: { completed: turns.length }, tokens: { total: sum() } });
  return turns.map(({ id }) => id);
}
