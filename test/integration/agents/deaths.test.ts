import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { StreamEvent } from '../../support/agent/agentClient.ts';
import { type RunningAgent, runHandler, samples, whenReady } from '../../support/agent/handlers.ts';
import { collect } from '../../support/collect.ts';
import { processesWith } from '../../support/process/roleOf.ts';
import { waitForRole } from '../../support/process/waitForRole.ts';

const [python, node] = samples as [(typeof samples)[0], (typeof samples)[0]];

/** A turn under way, and one that waits behind it, each with a key. */
async function twoTurns({ client }: RunningAgent) {
  const events = client.stream({ message: 'slow 2000', conversation: 'a' }, 'key-1');
  const start = (await events.next()).value as StreamEvent;
  await events.next();
  const waiting = client.send({ message: 'waits', conversation: 'a' }, 'key-2').catch(() => undefined);
  await expect
    .poll(async () => (await client.health()).body.turns, { timeout: 30_000 })
    .toEqual({ active: 1, queued: 1 });
  return { id: start.data.id as string, rest: collect(events).catch(() => undefined), waiting };
}

/** The lines of the ledger, wherever they are by now: each turn once. */
async function charged(agent: RunningAgent): Promise<Record<string, number>> {
  const { turns } = (await agent.client.usage()).body as { turns: Record<string, number> };
  return turns;
}

/** After whatever has happened: both turns are known to have ended, are not run again, and are charged once. */
async function nothingIsLost(agent: RunningAgent, id: string, code: string): Promise<void> {
  const { client } = agent;
  expect((await client.turn(id)).body).toMatchObject({ status: 'failed', error: { code } });
  // A reader that had seen some of it gets to know how it ended.
  const rest = await collect(client.events(id, 2));
  expect(rest.at(-1)).toMatchObject({ type: 'end', data: { id, status: 'failed' } });
  for (const [key, message] of [
    ['key-1', 'slow 2000'],
    ['key-2', 'waits'],
  ] as const) {
    const replayed = await client.send({ message, conversation: 'a' }, key);
    expect(replayed, key).toMatchObject({ status: 502, body: { code } });
    expect(replayed.headers.get('idempotency-replayed')).toBe('true');
  }
  expect((await client.send({ message: 'goes on', conversation: 'a' })).body.reply).toBe('goes on');
  expect(await charged(agent)).toEqual({ completed: 1, failed: 2, cancelled: 0 });
}

test.each([
  ['a handler in Python', python],
  ['a handler in Node', node],
])('%s that dies fails its turns, and ends the container as any bot does', async (_name, sample) => {
  const agent = await runHandler(sample);
  const { id, rest, waiting } = await twoTurns(agent);
  const dying = agent.client.send({ message: 'die', conversation: 'b' });
  expect(await dying).toMatchObject({ status: 502, body: { code: 'agent_died' } });
  expect((await waiting)?.body).toMatchObject({ code: 'agent_died' });
  expect((await rest)?.at(-1)).toMatchObject({
    type: 'end',
    data: { status: 'failed', error: { code: 'agent_died' } },
  });
  expect((await agent.runtime().finished).code).toBe(3);
  const record = JSON.parse(await readFile(join(agent.folder, '.runtime/exit.json'), 'utf8'));
  expect(record).toMatchObject({ source: 'bot', code: 3, stateSaved: true });
  await agent.again();
  expect((await agent.client.turn(id)).body).toMatchObject({
    status: 'failed',
    error: { code: 'agent_died' },
  });
  expect(await charged(agent)).toEqual({ completed: 0, failed: 3, cancelled: 0 });
  await agent.stop();
});

test('the query server is killed: its turns have failed, the agent is told to stop, and goes on', async () => {
  const agent = await runHandler(python);
  const before = (await agent.client.health()).body.instance;
  const { id, rest, waiting } = await twoTurns(agent);
  process.kill(await waitForRole(agent.runtime().child.pid!, 'query'), 'SIGKILL');
  await Promise.all([rest, waiting]);
  await whenReady(agent.client, agent.runtime());
  expect((await agent.client.health()).body.instance).toBe(before);
  await nothingIsLost(agent, id, 'interrupted');
  // It is the same process, which has noticed that nobody waits for the turn any more.
  await expect.poll(() => agent.runtime().stdout(), { timeout: 30_000 }).toContain('slow ended');
  await agent.stop();
});

test('the query server is killed during a restart: the restart goes on', async () => {
  const agent = await runHandler(python);
  const { client } = agent;
  const { body } = await client.restart({ graceSeconds: 0 });
  const id = body.id as string;
  await expect
    .poll(async () => (await client.restartOf(id)).body.phase, { interval: 5, timeout: 30_000 })
    .not.toBe('draining');
  process.kill(await waitForRole(agent.runtime().child.pid!, 'query'), 'SIGKILL');
  const status = async () => (await client.restartOf(id).catch(() => undefined))?.body.status;
  await expect.poll(status, { timeout: 30_000 }).toBe('done');
  expect((await client.send({ message: 'goes on' })).body.reply).toBe('goes on');
  await agent.stop();
});

test('the daemon is killed: no turn notices', async () => {
  const agent = await runHandler(node);
  const { client } = agent;
  const events = client.stream({ message: 'slow 60', conversation: 'a' });
  await events.next();
  process.kill(await waitForRole(agent.runtime().child.pid!, 'daemon'), 'SIGKILL');
  expect((await collect(events)).at(-1)).toMatchObject({ type: 'end', data: { status: 'completed' } });
  const { body } = await client.restart({ graceSeconds: 0 });
  const done = async () => (await client.restartOf(body.id as string)).body;
  await expect.poll(async () => (await done()).status, { timeout: 30_000 }).toBe('done');
  expect(await done()).toMatchObject({ stateSaved: true });
  await agent.stop();
});

test('the supervisor is killed: the next life knows of every turn', async () => {
  const agent = await runHandler(python);
  const { id, rest, waiting } = await twoTurns(agent);
  agent.runtime().child.kill('SIGKILL');
  await Promise.all([rest, waiting]);
  await expect.poll(() => processesWith(`QUERY_PORT=${agent.port}\0`), { timeout: 20_000 }).toEqual([]);
  await agent.again();
  await nothingIsLost(agent, id, 'interrupted');
  await agent.stop();
});

test('the container is stopped: turns under way were interrupted, and the next life knows', async () => {
  const agent = await runHandler(python);
  const { id, waiting } = await twoTurns(agent);
  expect(await agent.stop()).toBe(143);
  expect((await waiting)?.body).toMatchObject({ code: 'interrupted' });
  await agent.again();
  await nothingIsLost(agent, id, 'interrupted');
  await agent.stop();
});
