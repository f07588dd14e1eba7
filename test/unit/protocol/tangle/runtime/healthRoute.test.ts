import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import type { Call } from '../../../../../src/protocol/tangle/http/route.ts';
import { healthRoute } from '../../../../../src/protocol/tangle/runtime/healthRoute.ts';
import { fakeClock } from '../../../../support/fakeClock.ts';
import { type Asked, type FrontTest, frontTest } from '../../../../support/serve/frontTest.ts';
import { serverOf } from '../../../../support/serve/machines.ts';
import { modelSandboxes } from '../../../../support/serve/modelSandboxes.ts';
import { aRequest } from '../../../../support/serve/modelServer.ts';

type Inside = (request: IncomingMessage, response: ServerResponse) => void;

/** A sandbox whose inside answers so; `health` asks without a key. */
async function sandboxOf(inside: Inside, clock = fakeClock()) {
  const port = await serverOf(inside);
  const front: FrontTest = await frontTest({
    clock,
    sandboxes: modelSandboxes(async () => connect(port, '127.0.0.1')),
  });
  const { id } = (await front.ask('POST', '/v1/sandboxes', {})).body;
  front.sandboxes.set(id, { status: 'running' });
  const health = () => front.ask('GET', `/sidecar/${id}/health`, undefined, { authorization: '' });
  return { clock, health };
}

const unreachable = { status: 502, body: { code: 'SANDBOX_UNREACHABLE' } };

test('one that takes the call and answers nothing is waited for as long as anybody waits, and no longer', async () => {
  const { clock, health } = await sandboxOf(() => undefined);
  let answer: Asked | undefined;
  void health().then((given) => {
    answer = given;
  });
  await expect
    .poll(
      async () => {
        await clock.advance(6_000);
        return answer;
      },
      { timeout: 30_000 },
    )
    .toMatchObject(unreachable);
});

test('all that ask at once are answered by one look', async () => {
  let dialled = 0;
  const sandboxes = modelSandboxes(async () => {
    dialled++;
    throw new Error('gone');
  });
  const { id } = await sandboxes.create(aRequest());
  sandboxes.set(id, { status: 'running' });
  const { handle } = healthRoute({ sandboxes, clock: fakeClock() });
  const ask = () => handle({ params: { id } } as unknown as Call).catch(({ status }) => status);
  expect(await Promise.all([ask(), ask(), ask()])).toEqual([502, 502, 502]);
  expect(dialled).toBe(1);
  await ask();
  expect(dialled).toBe(2);
});

test('an answer without an end is none', async () => {
  const { health } = await sandboxOf((request, response) => {
    if (request.url !== '/health') return void response.end();
    response.writeHead(200, { 'content-type': 'application/json' });
    const more = () => {
      if (response.destroyed) return;
      response.write('x'.repeat(8192));
      setImmediate(more);
    };
    more();
  });
  expect(await health()).toMatchObject(unreachable);
});

test('what is inside says what its health is, and nothing else of the answer', async () => {
  const { health } = await sandboxOf((_request, response) =>
    response.writeHead(200, { 'set-cookie': 'a=b', 'x-own': '1' }).end('{"status":"ok"}'),
  );
  const { status, body, headers } = await health();
  expect([status, body, headers.get('x-own')]).toEqual([200, { status: 'ok' }, null]);
});
