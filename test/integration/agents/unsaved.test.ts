import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { AgentClient } from '../../support/agent/agentClient.ts';
import { runHandler, samples } from '../../support/agent/handlers.ts';

async function restarted(client: AgentClient, body: Record<string, unknown> = {}) {
  const asked = await client.restart({ graceSeconds: 0, ...body });
  const progress = async () => (await client.restartOf(asked.body.id as string)).body;
  await expect.poll(async () => (await progress()).status, { timeout: 90_000 }).not.toBe('running');
  return await progress();
}

test('a state that cannot be saved fails the restart, and the agent goes on', {
  timeout: 240_000,
}, async () => {
  const agent = await runHandler(samples[1]!);
  const { client } = agent;
  await client.send({ message: 'remember the milk', conversation: 'a' });
  const store = join(agent.folder, '.runtime/store');
  renameSync(store, `${store}.away`);
  writeFileSync(store, 'no store');
  const before = (await client.health()).body.instance;
  const failed = await restarted(client);
  expect(failed).toMatchObject({
    status: 'failed',
    stateSaved: false,
    before: { instance: before },
    error: { message: expect.stringContaining('not saved') },
  });
  const { instance } = (await client.health()).body;
  expect(instance).not.toBe(before);
  expect(failed.after).toEqual({ instance });
  expect((await client.send({ message: 'recall', conversation: 'a' })).body.reply).toBe('the milk');
  // Who can do without, says so.
  expect(await restarted(client, { save: 'try' })).toMatchObject({ status: 'done', stateSaved: false });
  rmSync(store);
  renameSync(`${store}.away`, store);
  expect(await restarted(client)).toMatchObject({ status: 'done', stateSaved: true });
  expect((await client.send({ message: 'recall', conversation: 'a' })).body.reply).toBe('the milk');
  await agent.stop();
});
