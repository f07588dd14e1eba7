import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { buffer } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { agentClient } from '../../support/agent/agentClient.ts';
import { runHandler, samples } from '../../support/agent/handlers.ts';

const node = samples[1]!;

test('a request that cannot even be read has a code as well', async () => {
  const agent = await runHandler(node);
  const said = async (text: string) => {
    const socket = connect({ port: Number(agent.port), host: '127.0.0.1' });
    socket.end(text);
    return (await buffer(socket)).toString();
  };
  expect(await said('FOO / HTTP/1.1\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 [\s\S]*"code":"bad_request"\}$/);
  expect(await said('CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n')).toMatch(
    / 405 [\s\S]*"code":"method_not_allowed"\}$/,
  );
  const long = `GET / HTTP/1.1\r\nx: ${'x'.repeat(80_000)}\r\n\r\n`;
  expect(await said(long)).toMatch(/ 431 [\s\S]*"code":"too_large"\}$/);
  await agent.stop();
});

test('metadata that an agent could not read is refused, and what is just within the bounds is not', async () => {
  const agent = await runHandler(samples[0]!);
  const say = async (metadata: string, text = 'hello') => {
    const body = `{"message":${JSON.stringify(text)},"metadata":${metadata}}`;
    return await agent.client.request('/messages', { method: 'POST', body });
  };
  const nested = (levels: number) => `{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;
  for (const metadata of [nested(129), nested(5000), `{"a":${'1'.repeat(5000)}}`])
    expect(await say(metadata)).toMatchObject({ status: 400, body: { code: 'bad_request' } });
  for (const metadata of [nested(128), `{"a":${'1'.repeat(1000)}}`, '{"a":1e999}'])
    expect(await say(metadata)).toMatchObject({ status: 200, body: { status: 'completed' } });
  // A client that cuts its text inside a character.
  expect(await say('{}', 'half \ud83d')).toMatchObject({
    status: 200,
    body: { reply: expect.stringContaining('half \ufffd') },
  });
  await agent.stop();
});

test('a path is what was sent: dots and escapes in it lead nowhere else', async () => {
  const agent = await runHandler(node);
  const statusOf = async (path: string) => {
    const socket = connect({ port: Number(agent.port), host: '127.0.0.1' });
    socket.end(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    return Number((await buffer(socket)).toString().split(' ')[1]);
  };
  expect(await statusOf('/_runtime/agent')).toBe(200);
  expect(await statusOf('/_runtime/agent/health/?x=%zz')).toBe(200);
  for (const path of ['/../info', '/%2e%2e/info', '/x/../health', '/%68ealth', '//health', '/health%2F'])
    expect(await statusOf(`/_runtime/agent${path}`), path).toBe(404);
  await agent.stop();
});

test('what is wrong with a request is said in one shape, with a code', async () => {
  const agent = await runHandler(node);
  const { request } = agent.client;
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    request(path, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body), headers });
  for (const [body, word] of [
    [{}, 'message'],
    [{ message: '' }, 'message'],
    [{ message: '  ' }, 'message'],
    [{ message: [] }, 'message'],
    [{ message: 7 }, 'message'],
    [{ message: [{ type: 'video', url: 'x' }] }, 'message'],
    [{ message: [{ type: 'image', mimeType: 'image/png', data: 'aGk=' }] }, 'image'],
    [{ message: 'x', colour: 'red' }, 'colour'],
    [{ message: 'x', conversation: 'a b' }, 'conversation'],
    [{ message: 'x', conversation: 'x'.repeat(129) }, 'conversation'],
    [{ message: 'x', stream: 'yes' }, 'stream'],
    [{ message: 'x', metadata: [] }, 'metadata'],
    ['not json', 'JSON'],
    ['[1]', 'object'],
  ] as const) {
    const refused = await post('/messages', body);
    expect(refused, JSON.stringify(body)).toMatchObject({
      status: 400,
      body: { status: 'error', code: 'bad_request', error: expect.stringContaining(word) },
    });
  }
  for (const [path, body, status, code] of [
    ['/messages', { message: 'x'.repeat(1024 * 1024) }, 413, 'too_large'],
    ['/messages/msg_none/cancel', {}, 404, 'not_found'],
    ['/restart', { save: 'never' }, 400, 'bad_request'],
    ['/restart', { graceSeconds: -1 }, 400, 'bad_request'],
    ['/restart', { now: true }, 400, 'bad_request'],
    ['/nothing', {}, 404, 'not_found'],
  ] as const) {
    expect(await post(path, body), path).toMatchObject({ status, body: { status: 'error', code } });
  }
  for (const path of ['/messages/msg_none', '/messages/msg_none/events', '/restart/rst_none', '/nothing']) {
    expect(await request(path), path).toMatchObject({ status: 404, body: { code: 'not_found' } });
  }
  expect(await request('/usage?colour=red')).toMatchObject({ status: 400 });
  expect(await request('/usage?since=yesterday')).toMatchObject({ status: 400 });
  for (const time of [
    '2026-11-27T10:00:00Z',
    '2026-11-27T10:00:00%2B02:00',
    '2026-11-27T10:00:00+02:00',
    '0',
  ])
    expect(await request(`/usage?since=${time}`), time).toMatchObject({ status: time === '0' ? 400 : 200 });
  for (const [path, method, allow] of [
    ['', 'POST', 'GET, HEAD'],
    ['/messages', 'GET', 'POST'],
    ['/messages/msg_none/cancel', 'GET', 'POST'],
    ['/restart', 'DELETE', 'POST'],
    ['/usage', 'PUT', 'GET, HEAD'],
  ] as const) {
    const refused = await request(path, { method });
    expect(refused, path).toMatchObject({ status: 405, body: { status: 'error' } });
    expect(refused.headers.get('allow')).toBe(allow);
  }
  const tooLong = await post('/messages', { message: 'x' }, { 'idempotency-key': 'k'.repeat(256) });
  expect(tooLong).toMatchObject({ status: 400, body: { code: 'bad_request' } });
  // The order of fields, and how the answer is wanted, are no part of what was asked.
  const one = await post('/messages', { message: 'x', metadata: { a: 1, b: 2 } }, { 'idempotency-key': 'k' });
  const same = await post(
    '/messages',
    { metadata: { b: 2, a: 1 }, stream: false, message: 'x' },
    { 'idempotency-key': 'k' },
  );
  expect(same.body).toEqual(one.body);
  // None of this was a turn.
  expect((await request('/usage')).body).toMatchObject({ turns: { completed: 1, failed: 0, cancelled: 0 } });
  await agent.stop();
});

test('the token is asked of everybody, but for a short word on health; the agent never sees it', async () => {
  const agent = await runHandler(node, { AGENT_TOKEN: 'let-me-in', QUERY_TOKEN: 'another' }, 'let-me-in');
  for (const token of [undefined, 'another', 'wrong']) {
    const stranger = agentClient(agent.url, token);
    for (const path of ['', '/usage', '/messages/msg_none', '/nothing']) {
      const refused = await stranger.request(path);
      expect(refused, path).toMatchObject({ status: 401, body: { status: 'error', code: 'unauthorized' } });
    }
    expect((await stranger.send({ message: 'x' })).status).toBe(401);
    expect(await stranger.health()).toMatchObject({ status: 200, body: { status: 'ready', ready: true } });
    expect(Object.keys((await stranger.health()).body).sort()).toEqual(['ready', 'status']);
  }
  expect((await agent.client.health()).body).toHaveProperty('instance');
  expect((await agent.client.send({ message: 'environment' })).body.reply).not.toMatch(/let-me-in|another/);
  expect((await agent.client.send({ message: 'environment' })).body.reply).toContain('BOT_ID');
  await agent.stop();
});

test('without a token only this machine is served', async () => {
  const outside = Object.values(networkInterfaces())
    .flat()
    .find((found) => found?.family === 'IPv4' && !found.internal)?.address;
  const agent = await runHandler(node);
  expect((await agent.client.describe()).status).toBe(200);
  // On a machine with no other address there is no other way in.
  if (outside !== undefined) {
    const stranger = agentClient(agent.url.replace('127.0.0.1', outside));
    expect(await stranger.send({ message: 'x' })).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    expect(await stranger.health()).toMatchObject({ status: 200, body: { ready: true } });
  }
  await agent.stop();
});

test('while a restart is under way new messages are refused, with when to come again; readyz follows', async () => {
  const agent = await runHandler(node);
  const { client } = agent;
  const events = client.stream({ message: 'slow 2000' });
  const start = (await events.next()).value;
  const { body } = await client.restart({ graceSeconds: 60 });
  const refused = await client.send({ message: 'x' });
  expect(refused).toMatchObject({ status: 503, body: { status: 'error', code: 'restarting' } });
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await client.health()).toMatchObject({ status: 503, body: { status: 'restarting', ready: false } });
  const readyz = async () => (await fetch(`http://127.0.0.1:${agent.port}/_runtime/readyz`)).status;
  expect(await readyz()).toBe(503);
  await client.cancel(start?.data.id as string);
  const id = body.id as string;
  await expect.poll(async () => (await client.restartOf(id)).body.status, { timeout: 30_000 }).toBe('done');
  await expect.poll(readyz, { timeout: 30_000 }).toBe(200);
  await agent.stop();
});

test('paths that are not the agent’s: a bot without a query program has no queries', async () => {
  const agent = await runHandler(node);
  const answer = await fetch(`http://127.0.0.1:${agent.port}/portfolio`);
  expect(answer.status).toBe(404);
  expect(await answer.json()).toMatchObject({ status: 'error' });
  expect((await fetch(`http://127.0.0.1:${agent.port}/_runtime/info`)).status).toBe(200);
  await agent.stop();
});
