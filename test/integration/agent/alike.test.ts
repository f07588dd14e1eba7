import { expect, test } from 'vitest';
import {
  acpStandIn,
  nodeHandler,
  openAiStandIn,
  pythonHandler,
  silentStandIn,
} from '../../support/agent/cases.ts';
import { driveAgent } from '../../support/agent/driveAgent.ts';
import { runAgent, shippedIds } from '../../support/agent/runAgent.ts';

/** The same client drives all of them: what differs between them is here, in how they are started. */
test.each([
  ['a handler in Python', pythonHandler],
  ['a handler in Node', nodeHandler],
  ['one that speaks ACP', acpStandIn],
  ['one that says nothing of its usage', silentStandIn],
  ['one with an OpenAI endpoint', openAiStandIn],
])('an agent is driven like every other: %s', { timeout: 240_000 }, async (_, agent) => {
  const { runtime, client, store } = await runAgent(agent);
  const ids = await driveAgent(client).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${runtime.stderr().slice(-4000)}`, { cause: error });
  });
  runtime.child.kill('SIGTERM');
  const { code, stderr } = await runtime.finished;
  expect(code, stderr).toBe(143);
  // Each turn is in the store, once.
  expect(await shippedIds(store)).toEqual(ids);
});
