import { expect, test } from 'vitest';
import { acpStandIn } from '../../support/agent/cases.ts';
import { ready } from '../../support/agent/driveAgent.ts';
import type { ProtocolClient, Turn } from '../../support/agent/protocolClient.ts';
import { runAgent, shippedIds } from '../../support/agent/runAgent.ts';

interface Totals {
  readonly turns: { readonly completed: number };
  readonly tokens: { readonly total: number };
}

const say = async (client: ProtocolClient) =>
  (await client.post<Turn>('/messages', { message: 'say x', conversation: 'c' })).body.id;
const usage = async (client: ProtocolClient) => (await client.get<Totals>('/usage')).body;

test('what was spent is there in a new container, and after one that was killed with all that is in it', {
  timeout: 180_000,
}, async () => {
  const first = await runAgent(acpStandIn);
  await ready(first.client);
  const ids = [await say(first.client), await say(first.client)];
  const spent = await usage(first.client);
  expect(spent.turns.completed).toBe(2);
  first.runtime.child.kill('SIGTERM');
  await first.runtime.finished;
  expect(await shippedIds(first.store)).toEqual(ids);

  // Another container: nothing of the first but the store.
  const second = await runAgent({
    ...acpStandIn,
    env: { ...acpStandIn.env, STORE_URL: `file://${first.store}` },
  });
  await ready(second.client);
  expect(await usage(second.client)).toMatchObject({ turns: spent.turns, tokens: spent.tokens });
  ids.push(await say(second.client));
  const more = await usage(second.client);
  expect(more.turns.completed).toBe(3);
  // Before anything of it may have been shipped.
  second.runtime.child.kill('SIGKILL');
  await second.runtime.finished;

  // The same volumes: the line is there, whoever has shipped it.
  const third = await second.again();
  await ready(third.client);
  expect(await usage(third.client)).toMatchObject({ turns: more.turns, tokens: more.tokens });
  third.runtime.child.kill('SIGTERM');
  await third.runtime.finished;
  expect(await shippedIds(first.store)).toEqual(ids);
});
