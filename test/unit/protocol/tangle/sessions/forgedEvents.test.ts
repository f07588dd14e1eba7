import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { frontTest } from '../../../../support/serve/frontTest.ts';
import { modelSandboxes } from '../../../../support/serve/modelSandboxes.ts';

const frame = (id: number, type: string, data: object) =>
  `event: ${type}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`;

/** A session with what answers in the place of an agent: an answer for each connection, its events or the status of its refusal. */
async function sessionWith(answers: readonly (string | number)[]) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/_runtime/agent/') !== true) return void response.writeHead(404).end();
    asked.push(`${request.method} ${request.url.slice(0, 100)}`);
    request.resume();
    const answer = answers[asked.length - 1] ?? '';
    if (typeof answer === 'number') response.writeHead(answer).end('{"error":"no","code":"refused"}');
    else response.writeHead(200, { 'content-type': 'text/event-stream' }).end(answer);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const front = await frontTest({ sandboxes: modelSandboxes(async () => connect(port, '127.0.0.1')) });
  const agent = { runtime: 'nodejs20', code: 'a.zip', entrypoint: 'a.mjs' };
  const { body: box } = await front.ask('POST', '/v1/sandboxes', { agent });
  await expect.poll(() => front.sandboxes.find(box.id)?.status, { timeout: 30_000 }).toBe('running');
  const { body: session } = await front.ask('POST', '/v1/sessions', { sandboxId: box.id });
  await front.ask('POST', `/v1/sessions/${session.id}/message`, { message: 'hello' });
  const ended = async () => {
    const { body } = await front.ask('GET', `/v1/sessions/${session.id}`);
    return body.executions[0];
  };
  await expect.poll(async () => (await ended()).status, { timeout: 20_000 }).not.toBe('running');
  return { asked, execution: await ended() };
}

test('a turn whose name is no name is none, and goes into no path and no event', async () => {
  const forged = [
    frame(1, 'start', { id: 'x'.repeat(200_000) }),
    frame(2, 'delta', { text: 'y'.repeat(100_000) }),
  ];
  const real = [frame(1, 'start', { id: 'trn_1' }), frame(2, 'end', { status: 'completed', reply: 'hi' })];
  const { asked, execution } = await sessionWith([forged.join(''), real.join('')]);
  expect(asked).toEqual(['POST /_runtime/agent/messages', 'POST /_runtime/agent/messages']);
  expect(execution).toMatchObject({ status: 'completed', result: { finalText: 'hi' } });
});

test('an agent that stood still and has not read what it was asked is asked again, before it has the message and after', async () => {
  const rest = frame(2, 'delta', { text: 'hi' }) + frame(3, 'end', { status: 'completed', reply: 'hi' });
  const { asked, execution } = await sessionWith([408, 503, frame(1, 'start', { id: 'trn_1' }), 408, rest]);
  const [post, get] = ['POST /_runtime/agent/messages', 'GET /_runtime/agent/messages/trn_1/events'];
  expect(asked).toEqual([post, post, post, get, get]);
  expect(execution).toMatchObject({ status: 'completed', result: { finalText: 'hi' } });
});

test.each([
  ['of control characters', '\u0001'.repeat(100_000)],
  ['that is no text', { toString: 1 }],
])('a reply %s is an end all the same', async (_, reply) => {
  const usage = { tokens: { input: 'x'.repeat(100_000), output: -1 } };
  const error = { code: 'c'.repeat(100_000), message: reply };
  const end = { status: 'failed', reply, usage, error };
  const { asked, execution } = await sessionWith([frame(1, 'start', { id: 'trn_1' }) + frame(2, 'end', end)]);
  expect(asked).toHaveLength(1);
  expect(execution).toMatchObject({ status: 'failed' });
  expect(execution.result.tokenUsage).toEqual({ inputTokens: 0, outputTokens: 0 });
  expect(execution.result.error.code).toHaveLength(256);
});
