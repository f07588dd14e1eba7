import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { Registry } from '../../../src/base/parts/prometheus.ts';
import { Secret } from '../../../src/base/secret.ts';
import type { BotView, HostApi } from '../../../src/host/api/hostApi.ts';
import { makeAgentToken } from '../../../src/host/bots/agentToken.ts';
import type { Engine } from '../../../src/host/engine/engine.ts';
import { makeBotToken } from '../../../src/host/gateway/botToken.ts';
import { startGateway } from '../../../src/host/gateway/startGateway.ts';
import type { Instances } from '../../../src/host/instances/instances.ts';
import { agentClient, type StreamEvent } from '../../support/agent/agentClient.ts';
import { runHandler, samples } from '../../support/agent/handlers.ts';
import { collect } from '../../support/collect.ts';
import { memoryLog } from '../../support/memoryLog.ts';

const tokenKey = new Secret('key');
const HOST_TOKEN = 'opens-all';

/** A real agent, and a real gateway before it. The rest of the host is a fake. */
async function agentBehindGateway() {
  const token = makeAgentToken(tokenKey, 'parrot').reveal();
  const agent = await runHandler(samples[1]!, { AGENT_TOKEN: token }, token);
  const view = (name: string, entrypoints: object, state: string) =>
    ({ name, state, spec: { name, runtime: 'nodejs20', entrypoints } }) as unknown as BotView;
  const views = [
    view('parrot', { bot: 'parrot.mjs', message: 'parrot.mjs' }, 'running'),
    view('sleeper', { bot: 'parrot.mjs', message: 'parrot.mjs' }, 'backoff'),
    view('plain', { bot: 'main.js', query: 'query.js' }, 'running'),
  ];
  const api = {
    bots: () => views,
    bot: (name: string) => views.find((found) => found.name === name),
    queryAddress: (name: string) =>
      name === 'parrot' ? { host: '127.0.0.1', port: Number(agent.port), instance: 'i' } : undefined,
    status: () => ({ source: { answers: true, listedAt: 1 } }),
  } as unknown as HostApi;
  const gateway = await startGateway({
    api,
    engine: { list: async () => [] } as unknown as Engine,
    instances: {} as Instances,
    stateVersion: async () => undefined,
    waiting: { size: 0, folder: '' },
    draining: () => false,
    port: 0,
    token: new Secret(HOST_TOKEN),
    tokenKey,
    clock: systemClock,
    log: memoryLog().log,
    registry: new Registry(),
  });
  onTestFinished(() => gateway.close());
  return { agent, base: `http://127.0.0.1:${gateway.port}/v1/instances` };
}

test('a host lists its agents, and each speaks the whole protocol below its name', async () => {
  const { agent, base } = await agentBehindGateway();
  const list = async (token: string) => agentClient(base, token).request('');
  expect(await list(HOST_TOKEN)).toMatchObject({
    status: 200,
    body: {
      instances: [
        { id: 'parrot', kind: 'nodejs20', status: 'ready' },
        { id: 'sleeper', kind: 'nodejs20', status: 'failed' },
      ],
    },
  });
  const own = makeBotToken(tokenKey, 'parrot');
  expect((await list(own)).body.instances).toMatchObject([{ id: 'parrot' }]);
  expect(await list('wrong')).toMatchObject({ status: 401, body: { status: 'error', code: 'unauthorized' } });

  const client = agentClient(`${base}/parrot`, own);
  expect((await client.describe()).body).toMatchObject({ protocol: '1', kind: 'nodejs20' });
  const sent = await client.send({ message: 'hello', conversation: 'a' }, 'key-1');
  expect(sent.body).toMatchObject({ status: 'completed', reply: 'hello' });
  const again = await client.send({ message: 'hello', conversation: 'a' }, 'key-1');
  expect(again.headers.get('idempotency-replayed')).toBe('true');
  const events = client.stream({ message: 'slow 2000' });
  const seen: StreamEvent[] = [];
  for await (const event of events) {
    seen.push(event);
    // As they come: the turn is still under way.
    if (seen.length === 3) break;
  }
  const id = seen[0]!.data.id as string;
  expect((await client.cancel(id)).status).toBe(202);
  const rest = await collect(client.events(id, 3));
  expect(rest[0]!.id).toBe(4);
  expect(rest.at(-1)).toMatchObject({ type: 'end', data: { status: 'cancelled' } });
  expect((await client.usage('?conversation=a')).body).toMatchObject({ turns: { completed: 1 } });
  expect((await client.health()).body).toMatchObject({ status: 'ready', instance: expect.any(String) });
  expect((await client.restart({}, 'r')).status).toBe(202);
  await agent.stop();
});

test('what there is no agent for is refused in the words of the protocol', async () => {
  const { agent, base } = await agentBehindGateway();
  const at = (path: string, token = HOST_TOKEN, init?: RequestInit) =>
    agentClient(base, token).request(path, init);
  expect(await at('/plain')).toMatchObject({ status: 404, body: { code: 'not_found' } });
  expect(await at('/nobody/health')).toMatchObject({ status: 404, body: { code: 'not_found' } });
  expect(await at('/sleeper/health')).toMatchObject({ status: 503, body: { code: 'failed' } });
  expect((await at('/sleeper')).headers.get('retry-after')).toBe('1');
  expect(await at('/parrot/health', 'wrong')).toMatchObject({ status: 401, body: { code: 'unauthorized' } });
  expect(await at('/sleeper', makeBotToken(tokenKey, 'parrot'))).toMatchObject({ status: 401 });
  expect(await at('', HOST_TOKEN, { method: 'POST' })).toMatchObject({
    status: 405,
    body: { status: 'error' },
  });
  await agent.stop();
});
