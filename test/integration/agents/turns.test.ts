import { expect, test } from 'vitest';
import type { StreamEvent } from '../../support/agent/agentClient.ts';
import { type RunningAgent, runHandler, samples } from '../../support/agent/handlers.ts';
import { collect } from '../../support/collect.ts';

const patience = { timeout: 30_000 };
const every = samples.map((sample) => [sample.name, sample] as const);

/** A turn that has begun to speak and will not end by itself soon: its id, and its stream from there on. */
async function begun({ client }: RunningAgent, conversation: string) {
  const events = client.stream({ message: 'slow 2000', conversation });
  const start = (await events.next()).value as StreamEvent;
  const first = (await events.next()).value as StreamEvent;
  expect([start.type, first.type]).toEqual(['start', 'delta']);
  return { id: start.data.id as string, rest: collect(events) };
}

test.each(every)(
  '%s: turns of a conversation wait for each other, and for no other conversation',
  async (_name, sample) => {
    const agent = await runHandler(sample);
    const { client } = agent;
    const slow = await begun(agent, 'a');
    const next = client.send({ message: 'second', conversation: 'a' }, 'key-1');
    await expect
      .poll(async () => (await client.health()).body.turns, { timeout: 30_000 })
      .toEqual({ active: 1, queued: 1 });
    expect((await client.health()).body.status).toBe('busy');
    expect((await client.send({ message: 'beside', conversation: 'b' })).body.reply).toBe('beside');
    // The same key: the same turn, which is waited for.
    const same = client.send({ message: 'second', conversation: 'a' }, 'key-1');
    const conflict = await client.send({ message: 'third', conversation: 'a' }, 'key-1');
    expect(conflict).toMatchObject({ status: 409, body: { status: 'error', code: 'idempotency_conflict' } });

    expect(await client.cancel(slow.id)).toMatchObject({ status: 202, body: { id: slow.id } });
    const end = (await slow.rest).at(-1);
    expect(end).toMatchObject({
      type: 'end',
      data: { id: slow.id, status: 'cancelled', stopReason: 'cancelled' },
    });
    expect(await client.cancel(slow.id)).toMatchObject({ status: 200, body: { status: 'cancelled' } });

    const [one, other] = await Promise.all([next, same]);
    expect(one).toMatchObject({ status: 200, body: { status: 'completed', reply: 'second' } });
    expect(other.body).toEqual(one.body);
    expect(one.headers.get('idempotency-replayed')).toBeNull();
    expect(other.headers.get('idempotency-replayed')).toBe('true');
    await agent.stop();
  },
);

test.each(every)('%s: a turn that fails says so, and the next one goes on', async (_name, sample) => {
  const agent = await runHandler(sample);
  const { client } = agent;
  const failed = await client.send({ message: 'fail badly', conversation: 'a' });
  expect(failed).toMatchObject({
    status: 502,
    body: {
      status: 'error',
      code: 'agent_failed',
      error: expect.stringContaining('badly'),
      id: expect.any(String),
    },
  });
  const kept = (await client.turn(failed.body.id)).body;
  expect(kept).toMatchObject({ status: 'failed', stopReason: 'error', error: { code: 'agent_failed' } });
  const streamed = await collect(client.stream({ message: 'fail badly' }));
  expect(streamed.at(-1)).toMatchObject({ type: 'end', data: { status: 'failed' } });
  expect((await client.health()).body).toMatchObject({
    status: 'degraded',
    ready: true,
    reason: expect.any(String),
  });
  expect((await client.send({ message: 'go on', conversation: 'a' })).body.reply).toBe('go on');
  expect((await client.health()).body.status).toBe('ready');
  // What it prints is its log, and no answer.
  await expect.poll(() => agent.runtime().stdout(), patience).toContain('told go on');
  const usage = {
    turns: { completed: 1, failed: 2, cancelled: 0 },
    tokens: { input: 30, output: 15, total: 45 },
  };
  expect((await client.usage()).body).toMatchObject(usage);
  await agent.stop();
});

test('a turn belongs to the server: whoever went away finds it under its id, and the rest of its stream', async () => {
  const agent = await runHandler(samples[0]!);
  const { client } = agent;
  const events = client.stream({ message: 'slow 40', conversation: 'a' });
  const seen: StreamEvent[] = [];
  for await (const event of events) {
    seen.push(event);
    if (seen.length === 4) break;
  }
  const id = seen[0]!.data.id as string;
  const rest = await collect(client.events(id, seen.at(-1)!.id));
  expect([...seen, ...rest].map((event) => event.id)).toEqual(
    Array.from({ length: 42 }, (_, index) => index + 1),
  );
  expect(rest.at(-1)).toMatchObject({ type: 'end', data: { status: 'completed' } });
  const deltas = [...seen, ...rest].filter(({ type }) => type === 'delta').map(({ data }) => data.text);
  expect(deltas.join('')).toBe((await client.turn(id)).body.reply);
  await agent.stop();
});

test('a turn that takes longer than it may is ended: 504', async () => {
  // The quick one has as long.
  const agent = await runHandler(samples[1]!, { AGENT_TIMEOUT: '3s' });
  const late = await agent.client.send({ message: 'slow 2000' });
  expect(late).toMatchObject({ status: 504, body: { code: 'timeout', id: expect.any(String) } });
  expect((await agent.client.send({ message: 'quick' })).body.reply).toBe('quick');
  await agent.stop();
});

test('no more than AGENT_CONCURRENCY conversations at once', async () => {
  const agent = await runHandler(samples[1]!, { AGENT_CONCURRENCY: '2' });
  const turns = [await begun(agent, 'a'), await begun(agent, 'b')];
  const third = agent.client.send({ message: 'third', conversation: 'c' });
  await expect
    .poll(async () => (await agent.client.health()).body.turns, { timeout: 30_000 })
    .toEqual({ active: 2, queued: 1 });
  await agent.client.cancel(turns[0]!.id);
  expect((await third).body.reply).toBe('third');
  await agent.stop();
});

test.each(every)('%s: a restart saves first; conversation, keys and totals go on', async (_name, sample) => {
  const agent = await runHandler(sample);
  const { client } = agent;
  await client.send({ message: 'remember the milk', conversation: 'a' }, 'key-1');
  const running = await begun(agent, 'b');
  const waiting = client.send({ message: 'after it', conversation: 'b' });
  await expect
    .poll(async () => (await client.health()).body.turns, { timeout: 30_000 })
    .toEqual({ active: 1, queued: 1 });
  const before = (await client.health()).body.instance;
  const asked = await client.restart({ reason: 'a test', graceSeconds: 0 }, 'restart-1');
  expect(asked).toMatchObject({
    status: 202,
    body: { status: 'running', phase: 'draining', before: { instance: before } },
  });
  const second = await client.restart();
  expect(second.body.id).toBe(asked.body.id);
  expect((await running.rest).at(-1)).toMatchObject({ type: 'end', data: { status: 'cancelled' } });
  const done = async () => (await client.restartOf(asked.body.id as string)).body;
  await expect.poll(async () => (await done()).status, patience).toBe('done');
  expect(await done()).toMatchObject({ phase: 'done', stateSaved: true, snapshot: expect.any(String) });
  expect((await client.health()).body.instance).not.toBe(before);
  expect((await client.restart({ reason: 'a test', graceSeconds: 0 }, 'restart-1')).body.id).toBe(
    asked.body.id,
  );
  // What waited is asked afterwards.
  expect((await waiting).body).toMatchObject({ status: 'completed', reply: 'after it' });
  const replayed = await client.send({ message: 'remember the milk', conversation: 'a' }, 'key-1');
  expect(replayed.headers.get('idempotency-replayed')).toBe('true');
  expect((await client.send({ message: 'recall', conversation: 'a' })).body.reply).toBe('the milk');
  expect((await client.usage()).body).toMatchObject({ turns: { completed: 3, failed: 0, cancelled: 1 } });
  expect(await agent.stop()).toBe(143);
  // And so they do in another container's life.
  await agent.again();
  expect((await client.send({ message: 'recall', conversation: 'a' })).body.reply).toBe('the milk');
  expect((await client.send({ message: 'after it', conversation: 'b' }, 'key-1')).status).toBe(409);
  expect((await client.usage()).body).toMatchObject({ turns: { completed: 4, cancelled: 1 } });
  expect((await client.restartOf(asked.body.id as string)).body.status).toBe('done');
  await agent.stop();
});
