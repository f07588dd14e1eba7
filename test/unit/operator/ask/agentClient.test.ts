import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../../src/base/clock.ts';
import { writeServedPort } from '../../../../src/bot/answers/servedPort.ts';
import { agentAddress } from '../../../../src/operator/ask/agentAddress.ts';
import { type AskedEvent, agentClient } from '../../../../src/operator/ask/agentClient.ts';
import { temporaryDirectory } from '../../../support/files/temporary.ts';

const turn = { id: 'msg_1', conversation: 'c', status: 'completed', stopReason: 'end' };
const stream = [
  'id: 1\nevent: start\ndata: {"id":"msg_1","conversation":"c"}\n\n',
  ': a comment\n\nid: 2\nevent: delta\ndata: {"text":"a"}\n\n',
  'id: 3\nevent: delta\ndata: {"text":"b"}\n\n',
  `id: 4\nevent: end\ndata: ${JSON.stringify(turn)}\n\n`,
];

/** `answer`: by the number of the request. */
async function serve(answer: (response: ServerResponse, number: number) => void) {
  const asked: { readonly url: string; readonly last: unknown }[] = [];
  const server = createServer((request, response) => {
    asked.push({ url: `${request.method} ${request.url}`, last: request.headers['last-event-id'] });
    answer(response, asked.length);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/_runtime/agent`;
  return { asked, client: agentClient({ address, token: undefined, clock: systemClock }) };
}

async function all(events: AsyncIterable<AskedEvent>): Promise<AskedEvent[]> {
  const list: AskedEvent[] = [];
  for await (const event of events) list.push(event);
  return list;
}

const never = new AbortController().signal;

test('a stream that is cut off is taken up again where it was, also past a server that is being started', async () => {
  const { client, asked } = await serve((response, number) => {
    response.writeHead(number === 2 ? 503 : 200, { 'content-type': 'text/event-stream' });
    if (number === 1) {
      response.write(stream.slice(0, 2).join(''));
      setTimeout(() => response.destroy(), 50);
    } else response.end(number === 2 ? '{"error":"starting"}' : stream.slice(2).join(''));
  });
  expect(await all(client.ask('x', undefined, never))).toEqual([
    { type: 'start', id: 'msg_1', conversation: 'c' },
    { type: 'delta', text: 'a' },
    { type: 'delta', text: 'b' },
    { type: 'end', turn },
  ]);
  const again = { url: 'GET /_runtime/agent/messages/msg_1/events', last: '2' };
  expect(asked).toEqual([{ url: 'POST /_runtime/agent/messages', last: undefined }, again, again]);
});

test.each([
  [401, 'denied', 'Set AGENT_TOKEN'],
  [403, 'refused', 'from its own machine only'],
  [404, 'not-found', 'Is it an agent?'],
  [429, 'unavailable', 'Ask again'],
  [503, 'unavailable', '/health says more'],
  [400, 'usage', undefined],
])('an answer of %i says what to do', async (status, code, hint) => {
  const { client } = await serve((response) =>
    response.writeHead(status).end('{"status":"error","error":"no"}'),
  );
  await expect(all(client.ask('x', undefined, never))).rejects.toMatchObject({
    code,
    message: `the agent answered ${status}: no`,
    hint: hint === undefined ? undefined : expect.stringContaining(hint),
  });
});

test('whom it asks: a port, a path of a host, a directory, or a bot of the host here', async () => {
  const cwd = await temporaryDirectory();
  const address = (whom: string, env = {}) => agentAddress(whom, { cwd, env, flags: {} });
  expect(address('http://h:9476/')).toBe('http://h:9476/_runtime/agent');
  expect(address('https://h/x/v1/instances/b')).toBe('https://h/x/v1/instances/b');
  expect(address('http://h/_runtime/agent')).toBe('http://h/_runtime/agent');
  expect(address('my-bot')).toBe('http://127.0.0.1:9477/v1/instances/my-bot');
  expect(address('my-bot', { RUNTIME_HOST_URL: 'http://h:1/' })).toBe('http://h:1/v1/instances/my-bot');
  expect(() => address('h:9476')).toThrow(expect.objectContaining({ hint: 'did you mean http://h:9476?' }));
  expect(() => address('a/b')).toThrow(expect.objectContaining({ code: 'usage' }));
});

test('a directory: the port on which its own bot is served, not that of whichever bot has the usual one', async () => {
  const cwd = await temporaryDirectory();
  await mkdir(join(cwd, 'mine', '.runtime', 'store'), { recursive: true });
  const address = () => agentAddress('./mine', { cwd, env: {}, flags: {} });
  const away = expect.objectContaining({
    code: 'unavailable',
    message: expect.stringContaining('does not run'),
  });
  expect(address).toThrow(away);
  writeServedPort(join(cwd, 'mine'), { port: 41234, pid: process.pid });
  expect(address()).toBe('http://127.0.0.1:41234/_runtime/agent');
  // It has ended, and the port may be another's.
  const ended = spawn('true');
  await once(ended, 'exit');
  writeServedPort(join(cwd, 'mine'), { port: 41234, pid: ended.pid! });
  expect(address).toThrow(away);
});
