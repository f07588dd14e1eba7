import { chmod, chown, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readPosition } from '../../../src/agent/ledger/telemetry/position.ts';
import { acpStandIn } from '../../support/agent/cases.ts';
import { ready } from '../../support/agent/driveAgent.ts';
import type { Turn } from '../../support/agent/protocolClient.ts';
import { type AgentCase, runAgent, shippedIds, TOKEN } from '../../support/agent/runAgent.ts';
import { isRoot } from '../../support/process/asUser.ts';

const TELEMETRY = 'a-token-of-the-receiver';
const QUERY = 'a-token-of-the-queries';

async function attacker(user: string): Promise<AgentCase> {
  const program = await readFile(join(import.meta.dirname, '../../fixtures/attacking_agent.py'), 'utf8');
  return {
    code: { 'agent.py': program },
    manifests: {
      'a.yaml': JSON.stringify({
        id: 'attacker',
        displayName: 'A',
        description: 'A.',
        argv: ['/usr/bin/python3', '{code}/agent.py'],
        agent: { protocol: 'acp' },
      }),
    },
    env: {
      RUNTIME: 'attacker',
      BOT_USER: user,
      QUERY_TOKEN: QUERY,
      TELEMETRY_URL: 'http://127.0.0.1:9/',
      TELEMETRY_TOKEN: TELEMETRY,
    },
  };
}

/** What an agent could do that it must not. */
async function done(user: string): Promise<readonly string[]> {
  const { client, root, runtime } = await runAgent(await attacker(user), async (folder) => {
    // As a container's root folder is: everybody may pass.
    await chmod(folder, 0o755);
    await chown(folder, 0, 0);
  });
  await ready(client).catch((error: unknown) => {
    throw new Error(runtime.stderr(), { cause: error });
  });
  const task = { logs: join(root, 'the0/logs'), secrets: [TOKEN, QUERY, TELEMETRY] };
  const attack = async () =>
    JSON.parse(
      (await client.post<Turn>('/messages', { message: JSON.stringify(task) })).body.reply,
    ) as string[];
  // The second time there are lines in the ledger.
  return [...(await attack()), ...(await attack())];
}

describe.skipIf(!isRoot)('an agent that is another user', () => {
  test('can neither write nor read the ledger, nor find a token', { timeout: 120_000 }, async () => {
    expect(await done('1000:1000')).toEqual([]);
  });

  test('negative control: as the same user it could', { timeout: 120_000 }, async () => {
    expect((await done('none')).join()).toMatch(/write \d{15}\.ndjson.*environ/);
  });
});

test('no word of what was said leaves by telemetry, by the ledger, or by our log', {
  timeout: 120_000,
}, async () => {
  const bodies: string[] = [];
  const receiver = createServer(async (request, response) => {
    bodies.push(await text(request));
    response.end('{}');
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void receiver.close());
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/events`;
  const agent = {
    ...acpStandIn,
    env: { ...acpStandIn.env, TELEMETRY_URL: url, TELEMETRY_TOKEN: TELEMETRY, LOG_LEVEL: 'debug' },
  };
  const { client, runtime, store, root } = await runAgent(agent);
  await ready(client);
  const ids: string[] = [];
  for (const message of ['say canary', 'fail canary', 'refuse canary', 'tool canary', 'canary']) {
    const metadata = { note: 'canary' };
    ids.push((await client.post<Turn>('/messages', { message, conversation: 'c', metadata })).body.id);
  }
  const told = () =>
    bodies.flatMap((body) =>
      (JSON.parse(body) as { events: { requestId: string }[] }).events.map(({ requestId }) => requestId),
    );
  await expect.poll(told, { timeout: 60_000 }).toEqual(ids);
  // The receiver has the last one before its answer is there: what is ended in between is told again.
  await expect.poll(() => readPosition(join(root, 'the0/usage'))?.last?.requestId).toBe(ids.at(-1));
  runtime.child.kill('SIGTERM');
  const { stderr } = await runtime.finished;
  expect(await shippedIds(store)).toEqual(ids);
  expect(told()).toEqual(ids);
  const ledger = await readFile(join(root, 'the0/usage/000000000000000.ndjson'), 'utf8');
  for (const where of [bodies.join(), ledger, stderr]) expect(where).not.toContain('canary');
});
