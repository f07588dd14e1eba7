import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { NewSandbox } from '../../src/host/sandboxes/sandboxes.ts';
import type { Execution, Session } from '../../src/protocol/tangle/sessions/session.ts';
import { type RunningAgent, runHandler, samples } from '../support/agent/handlers.ts';
import { temporaryDirectory } from '../support/files/temporary.ts';
import { type ReadEvent, readEvents } from '../support/serve/eventReader.ts';
import { type FrontTest, frontTest } from '../support/serve/frontTest.ts';
import { type ModelSandboxes, modelSandboxes } from '../support/serve/modelSandboxes.ts';

const AGENT = { runtime: 'nodejs20', code: 'parrot.zip', entrypoint: 'parrot.mjs' };

/** A real agent, in the place of what runs in the sandbox `sb-1`; the sandboxes are a model's. */
async function withAgent(): Promise<{
  front: FrontTest;
  agent: RunningAgent;
  sandboxes: ModelSandboxes;
  folder: string;
}> {
  const agent = await runHandler(samples[1]!, { AGENT_TOKEN: 'agent-of-sb-1' }, 'agent-of-sb-1');
  // Before its folder goes.
  onTestFinished(async () => void (await agent.stop()));
  const sandboxes = modelSandboxes(async (_id, port) => {
    const socket = connect(port === 9476 ? Number(agent.port) : 1, '127.0.0.1');
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return socket;
  });
  const folder = await temporaryDirectory();
  const front = await frontTest({ sandboxes, folder });
  const made = await front.ask('POST', '/v1/sandboxes', { agent: AGENT } satisfies Partial<
    Record<keyof NewSandbox, unknown>
  >);
  expect(made.body.id).toBe('sb-1');
  await sandboxes.until('sb-1', ['running'], AbortSignal.timeout(10_000));
  return { front, agent, sandboxes, folder };
}

const isDone = ({ type }: ReadEvent) => type === 'done';
const said = (events: readonly ReadEvent[], execution: string) =>
  events
    .filter(({ data }) => data.executionId === execution && data.delta !== undefined)
    .map(({ data }) => data.delta)
    .join('');

test('a message is answered on the stream of its session, which is kept', async () => {
  const { front } = await withAgent();
  const made = await front.ask('POST', '/v1/sessions', { sandboxId: 'sb-1' });
  expect(made).toMatchObject({
    status: 201,
    body: { id: expect.any(String), status: 'active', state: 'idle' },
  });
  const { id } = made.body;
  const live = await readEvents(`${front.url}/v1/sessions/${id}/events`);
  const sent = await front.ask('POST', `/v1/sessions/${id}/message`, { message: 'hello' });
  expect(sent).toMatchObject({ status: 202, body: { success: true, sessionId: id } });
  await live.until(isDone);
  // As SDK 0.1.0 adds up what it was told, should the result not come.
  const parts = live.events.filter(({ type }) => type === 'message.part.updated').map(({ data }) => data);
  for (const { part, delta } of parts) expect((part as { content?: string }).content).toBe(delta);
  const { executionId } = sent.body;
  expect(live.events.map(({ type }) => type)).toEqual([
    'connection.init',
    'execution.started',
    'status',
    ...live.events.filter(({ type }) => type === 'message.part.updated').map(({ type }) => type),
    'result',
    'execution.completed',
    'status',
    'done',
  ]);
  expect(said(live.events, executionId)).toBe('hello');
  const result = live.events.find(({ type }) => type === 'result');
  expect(result?.data).toMatchObject({ finalText: 'hello', tokenUsage: { inputTokens: expect.any(Number) } });
  // Whoever comes later, or comes back, has the same.
  const later = await readEvents(`${front.url}/v1/sessions/${id}/events?since=0`);
  await later.until(isDone);
  expect(later.events.slice(1)).toEqual(live.events.slice(1));
  const view = await front.ask('GET', `/v1/sessions/${id}`);
  expect(view.body).toMatchObject({ state: 'idle', executions: [{ id: executionId, status: 'completed' }] });
  expect(view.body.readers.map(({ lag }: { lag: number }) => lag)).toEqual([0, 0]);
  // Its sandbox's stream tells of it, too.
  const sandbox = await readEvents(`${front.url}/v1/sandboxes/sb-1/events?since=0`);
  await sandbox.until(({ type }) => type === 'execution.completed');
  expect(sandbox.events.map(({ type }) => type)).toEqual(
    expect.arrayContaining(['sandbox.running', 'execution.started', 'execution.completed']),
  );
  expect((await front.ask('DELETE', `/v1/sessions/${id}`)).body).toEqual({ success: true });
  await later.until(({ type }) => type === 'session.deleted');
  await expect(later.until(({ type }) => type === 'never')).rejects.toThrow('has ended');
  expect((await front.ask('GET', `/v1/sessions/${id}`)).status).toBe(404);
  expect((await front.ask('DELETE', `/v1/sessions/${id}`)).status).toBe(404);
});

test('the same execution asked for again is the same; a failure and a cancel are told as such', async () => {
  const { front } = await withAgent();
  const { id } = (await front.ask('POST', '/v1/sessions', { config: { sandboxId: 'sb-1' } })).body;
  const send = (message: string, key?: string) =>
    front.ask(
      'POST',
      `/v1/sessions/${id}/message`,
      { message },
      key === undefined ? {} : { 'idempotency-key': key },
    );
  const [one, same] = [await send('once', 'k'), await send('once', 'k')];
  expect(same.body.executionId).toBe(one.body.executionId);
  const failed = (await send('fail badly')).body.executionId;
  const slow = (await send('slow 4000')).body.executionId;
  const stream = await readEvents(`${front.url}/v1/sessions/${id}/events?since=0`);
  const of = (execution: string, type: string) =>
    stream.until((event) => event.type === type && event.data.executionId === execution);
  await of(one.body.executionId, 'done');
  expect(said(stream.events, one.body.executionId)).toBe('once');
  await of(failed, 'done');
  expect((await of(failed, 'error')).data).toMatchObject({
    code: 'agent_failed',
    message: expect.stringContaining('badly'),
  });
  await of(slow, 'message.part.updated');
  expect((await front.ask('POST', `/v1/sessions/${id}/cancel`, {})).body.cancelled).toEqual([slow]);
  await of(slow, 'done');
  const ends = stream.events.filter(({ type, data }) => type === 'status' && data.status !== 'started');
  expect(ends.map(({ data }) => data.status)).toEqual(['completed', 'failed', 'cancelled']);
});

test('the API inside drives the same sessions, in both of its shapes', async () => {
  const { front } = await withAgent();
  const info = (await front.ask('GET', '/v1/sandboxes/sb-1')).body;
  const { sidecarUrl, authToken } = info.connection;
  const older = await readEvents(
    `${sidecarUrl}/agents/run/stream`,
    { authorization: `Bearer ${authToken}` },
    {
      json: { identifier: 'default', message: 'by the sidecar', sessionId: 'mine' },
    },
  );
  await older.until(isDone);
  expect(older.response.headers['x-execution-id']).toMatch(/^exec_/);
  const execution = String(older.response.headers['x-execution-id']);
  expect(said(older.events, execution)).toBe('by the sidecar');
  // The stream ends with it.
  await expect(older.until(({ type }) => type === 'never')).rejects.toThrow('has ended');
  const text = Buffer.from('by parts').toString('base64');
  const newer = await readEvents(
    `${front.url}/v1/sandboxes/sb-1/runtime/agents/run/stream`,
    {},
    {
      json: { id: 'default', sessionId: 'mine', parts: [{ type: 'text', text }] },
    },
  );
  await newer.until(isDone);
  expect(newer.events.find(({ type }) => type === 'result')?.data.finalText).toBe('by parts');
  // Taken up again where it was, with an empty message.
  const at = newer.ids[1]!;
  const again = await readEvents(
    `${front.url}/v1/sandboxes/sb-1/runtime/agents/run/stream`,
    { 'x-execution-id': String(newer.response.headers['x-execution-id']), 'last-event-id': String(at) },
    { json: { identifier: 'default', message: '' } },
  );
  await again.until(isDone);
  expect(again.ids).toEqual(newer.ids.filter((id) => id > at));
  // One bus: whoever follows the session has heard all of it.
  const all = await readEvents(`${front.url}/v1/sessions/mine/events`);
  await all.until((event) => isDone(event) && event.id === newer.ids.at(-1));
  expect(all.events.filter(isDone)).toHaveLength(2);
  const whole = await front.ask('POST', '/v1/sandboxes/sb-1/runtime/agents/run', {
    identifier: 'default',
    message: 'whole',
  });
  expect(whole).toMatchObject({
    status: 200,
    body: { success: true, data: { finalText: 'whole', status: 'completed' } },
  });
  expect((await front.ask('GET', '/v1/sandboxes/sb-1/runtime/agents/sessions/mine')).body.data).toMatchObject(
    {
      state: 'idle',
      activeExecutionId: null,
    },
  );
});

test('a server that ends half-way goes on where it was: nothing is missing, doubled, or done twice', async () => {
  const { front, agent, sandboxes, folder } = await withAgent();
  const { id } = (await front.ask('POST', '/v1/sessions', { sandboxId: 'sb-1' })).body;
  const { executionId } = (await front.ask('POST', `/v1/sessions/${id}/message`, { message: 'slow 200' }))
    .body;
  const seen: ReadEvent[] = [];
  let url = front.url;
  let close = front.close;
  // Each but the last is ended half-way, unless this machine stood still for as long as the agent needs.
  for (let life = 1; life <= 4 && !seen.some(isDone); life += 1) {
    const reader = await readEvents(`${url}/v1/sessions/${id}/events`, {
      'last-event-id': String(seen.findLast((event) => event.id !== undefined)?.id ?? 0),
    });
    await reader.until((event) => event.data.delta !== undefined || isDone(event));
    await close();
    seen.push(...reader.events);
    const next = await frontTest({ sandboxes, folder });
    url = next.url;
    close = next.close;
  }
  if (!seen.some(isDone)) {
    const reader = await readEvents(`${url}/v1/sessions/${id}/events`, {
      'last-event-id': String(seen.at(-1)?.id),
    });
    await reader.until(isDone);
    seen.push(...reader.events);
  }
  const numbered = seen.flatMap((event) => (event.id === undefined ? [] : [event.id]));
  expect(numbered).toEqual(numbered.map((_, at) => at + 1));
  await expect.poll(async () => (await agent.client.usage()).body).toMatchObject({ turns: { completed: 1 } });
  const result = seen.find(({ type }) => type === 'result')?.data.finalText as string;
  expect(said(seen, executionId)).toBe(result);
  expect(
    (await fetch(`${url}/v1/sessions/${id}`, { headers: { authorization: 'Bearer sk_test' } }).then((r) =>
      r.json(),
    )) as object,
  ).toMatchObject({
    executions: [{ id: executionId, status: 'completed' }],
  });
}, 120_000);

test('without an agent there is an honest answer; a session that is another’s is not there', async () => {
  const front = await frontTest();
  await front.ask('POST', '/v1/sandboxes', {});
  const session = await front.ask('POST', '/v1/sessions', { sandboxId: 'sb-1' });
  expect(session).toMatchObject({ status: 201, body: { id: expect.any(String), sandboxId: 'sb-1' } });
  const refused = await front.ask('POST', `/v1/sessions/${session.body.id}/message`, { message: 'hello' });
  expect(refused).toMatchObject({
    status: 501,
    body: { code: 'NOT_SUPPORTED', message: expect.stringContaining('no agent') },
  });
  expect((await front.ask('POST', '/v1/sessions', { sandboxId: 'sb-9' })).status).toBe(404);
  expect((await front.ask('GET', '/v1/sessions/ses_none/events')).status).toBe(404);
  // A sandbox that was made for a session goes with it.
  const ids = async () =>
    (await front.ask('GET', '/v1/sandboxes')).body.sandboxes.map((each: { id: string }) => each.id).sort();
  const own = await front.ask('POST', '/v1/sessions', { projectId: 'p' });
  expect(own).toMatchObject({ status: 201, body: { sandboxId: 'sb-2' } });
  expect(await ids()).toEqual(['sb-1', 'sb-2']);
  expect((await front.ask('DELETE', `/v1/sessions/${own.body.id}`)).status).toBe(200);
  expect(await ids()).toEqual(['sb-1']);
});

test('a batch asks several, and tells of each as it ends', async () => {
  const { front } = await withAgent();
  const tasks = [
    { id: 'a', message: 'one' },
    { id: 'b', message: 'fail badly' },
    { id: 'c', message: 'slow 4000', timeoutMs: 1500 },
    { id: 'd', message: 'two', context: 'with context' },
  ];
  const run = await readEvents(
    `${front.url}/batch/run`,
    {},
    { json: { tasks, sandboxId: 'sb-1', scalingMode: 'fastest' } },
  );
  // No proxy on the way may keep an event back.
  expect(run.response.headers['x-accel-buffering']).toBe('no');
  const end = await run.until(({ type }) => type === 'batch.completed');
  expect(end.data).toEqual({ completed: 2, failed: 2 });
  const of = (task: string) => run.events.find(({ data }) => data.taskId === task);
  expect(of('a')).toMatchObject({ type: 'task.completed', data: { tokensUsed: 15, retries: 0 } });
  expect(of('b')).toMatchObject({ type: 'task.failed', data: { error: expect.stringContaining('badly') } });
  expect(of('c')).toMatchObject({ type: 'task.failed', data: { error: expect.stringContaining('1500 ms') } });
  const session = (await front.ask('GET', `/v1/sessions/${of('d')?.data.sessionId}`)).body;
  expect(session.executions[0].result.finalText).toBe('two\n\nwith context');
  expect((await front.ask('POST', '/v1/sandboxes/batch/run', { tasks })).status).toBe(501);
  expect(
    (await front.ask('POST', '/batch/run', { tasks: [...tasks, tasks[0]], sandboxId: 'sb-1' })).status,
  ).toBe(400);
});

test('a message that the agent may have when the server is killed is never as if it had not been', async () => {
  const { front, sandboxes, folder } = await withAgent();
  const { id } = (await front.ask('POST', '/v1/sessions', { sandboxId: 'sb-1' })).body;
  await front.close();
  // Written down, and nothing of it heard: so it is before the first event of it, whoever has it.
  const path = join(folder, 'sessions', `${id}.json`);
  const session = JSON.parse(readFileSync(path, 'utf8')) as Session;
  const execution: Execution = {
    id: 'exec_cut',
    key: 'k',
    message: 'once',
    metadata: {},
    status: 'running',
    createdAt: Date.now(),
    endedAt: undefined,
    result: undefined,
  };
  writeFileSync(path, JSON.stringify({ ...session, executions: [execution] }));
  sandboxes.set('sb-1', { status: 'stopped' });
  const next = await frontTest({ sandboxes, folder });
  const stream = await readEvents(`${next.url}/v1/sessions/${id}/events`);
  await stream.until(isDone);
  expect(stream.events.find(({ type }) => type === 'execution.failed')?.data).toMatchObject({
    executionId: 'exec_cut',
    error: { code: 'interrupted' },
  });
  const { executions } = (await next.ask('GET', `/v1/sessions/${id}`)).body;
  expect(executions).toMatchObject([{ id: 'exec_cut', status: 'failed' }]);
});
