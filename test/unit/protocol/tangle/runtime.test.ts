import { writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { isAmbiguous, toolOf } from '../../../../src/protocol/tangle/runtime/toolOf.ts';
import { temporaryDirectory } from '../../../support/files/temporary.ts';
import { readEvents } from '../../../support/serve/eventReader.ts';
import { frontTest } from '../../../support/serve/frontTest.ts';
import { serverOf } from '../../../support/serve/machines.ts';
import { modelSandboxes } from '../../../support/serve/modelSandboxes.ts';

async function running(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  body: object = {},
) {
  const port = await serverOf(answer);
  const front = await frontTest({ sandboxes: modelSandboxes(async () => connect(port, '127.0.0.1')) });
  const { body: made } = await front.ask('POST', '/v1/sandboxes', body);
  await expect.poll(() => front.sandboxes.find(made.id)?.status, { timeout: 30_000 }).toBe('running');
  const { body: info } = await front.ask('GET', `/v1/sandboxes/${made.id}`);
  const token = { authorization: `Bearer ${info.connection.authToken}` };
  return { ...front, id: made.id as string, token };
}

test('both paths reach the API inside with its own token, the path as it was sent', async () => {
  const seen: unknown[] = [];
  const { ask, id, token } = await running((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece) => pieces.push(piece));
    request.on('end', () => {
      const { authorization, cookie } = request.headers;
      // The server itself follows what happens inside.
      if (request.url !== '/_runtime/events')
        seen.push([request.method, request.url, authorization, cookie, Buffer.concat(pieces).toString()]);
      response.writeHead(418, { 'set-cookie': 'a=b', 'x-own': 'yes' }).end('{"data":1}');
    });
  });
  const path = '/fs/stat/a%20b%?long=1';
  for (const [at, headers] of [
    [`/v1/sandboxes/${id}/runtime${path}`, {}],
    [`/sidecar/${id}${path}`, token],
  ] as const) {
    const answer = await ask('DELETE', at, '{"signal":"SIGTERM"}', { ...headers, cookie: 'c=d' });
    expect(answer).toMatchObject({ status: 418, body: { data: 1 } });
    expect(answer.headers.get('x-own')).toBe('yes');
    expect(answer.headers.get('set-cookie')).toBeNull();
    expect(seen.pop()).toEqual(['DELETE', path, `Bearer box-of-${id}`, undefined, '{"signal":"SIGTERM"}']);
  }
});

test('a stream passes as it comes, and ends inside when its reader goes', async () => {
  let gone: (() => void) | undefined;
  const ended = new Promise<void>((resolve) => {
    gone = resolve;
  });
  const { url, id } = await running((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('event: stdout\ndata: {"data":"one"}\n\n');
    response.once('close', () => gone?.());
  });
  const reading = new AbortController();
  const response = await fetch(`${url}/v1/sandboxes/${id}/runtime/process/1/logs`, {
    headers: { authorization: 'Bearer sk_test' },
    signal: reading.signal,
  });
  const reader = response.body!.getReader();
  const { value } = await reader.read();
  expect(Buffer.from(value!).toString()).toBe('event: stdout\ndata: {"data":"one"}\n\n');
  reading.abort();
  await ended;
});

test('who is refused before the body is through gets to read why', async () => {
  const { ask, id } = await running((_, response) =>
    response.writeHead(413).end('{"code":"FILE_TOO_LARGE"}'),
  );
  const body = 'x'.repeat(8 * 2 ** 20);
  expect(await ask('POST', `/v1/sandboxes/${id}/runtime/fs/upload`, body)).toMatchObject({
    status: 413,
    body: { code: 'FILE_TOO_LARGE' },
  });
});

test('a token opens its own sandbox alone, for as long as its key lives', async () => {
  const { ask, id, token } = await running((_, response) => response.end('{}'));
  const { body: other } = await ask('POST', '/v1/sandboxes');
  expect((await ask('GET', `/sidecar/${id}/process`, undefined, token)).status).toBe(200);
  expect((await ask('GET', `/sidecar/${other.id}/process`, undefined, token)).status).toBe(403);
  expect((await ask('GET', '/v1/sandboxes', undefined, token)).status).toBe(401);
  expect((await ask('GET', `/sidecar/${id}/process`, undefined, { authorization: '' })).status).toBe(401);
  expect((await ask('GET', `/sidecar/${id}/process`)).status).toBe(403);
  const [head, , signature] = token.authorization.split('.');
  const claims = { typ: 'sidecar', sub: 'default', cid: other.id, jti: 'x', exp: 4e9 };
  const forged = `${head}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`;
  expect(
    (await ask('GET', `/sidecar/${other.id}/process`, undefined, { authorization: forged })).status,
  ).toBe(403);
});

test.each([
  ['3', 3],
  ['<script>', undefined],
])('the event of a command that has ended has its exit code, as it is said: %s', async (said, exitCode) => {
  const { ask, id, url } = await running((request, response) => {
    request.resume();
    if (request.url === '/_runtime/events') return;
    response.writeHead(200, { 'x-exit-code': said }).end('{}');
  });
  await ask('POST', `/v1/sandboxes/${id}/runtime/terminals/commands`, { command: 'exit 3' });
  const stream = await readEvents(`${url}/v1/sandboxes/${id}/events?since=0`);
  await stream.until(({ type }) => type === 'execution.completed');
  const ended = stream.events.find(({ type }) => type === 'execution.completed');
  expect([ended?.data.status, ended?.data.exitCode]).toEqual([200, exitCode]);
});

test('only the tools that a sandbox was made with are open', async () => {
  const { ask, id, token } = await running((_, response) => response.end('{}'), { capabilities: ['files'] });
  for (const headers of [{}, token]) {
    const at = headers === token ? `/sidecar/${id}` : `/v1/sandboxes/${id}/runtime`;
    expect((await ask('POST', `${at}/files/read`, {}, headers)).status).toBe(200);
    expect((await ask('GET', `${at}/health`, undefined, headers)).status).toBe(200);
    for (const path of ['/terminals/commands', '/process', '/terminals', '/agents/run', '/tools'])
      expect(await ask('GET', `${at}${path}`, undefined, headers)).toMatchObject({
        status: 403,
        body: { code: 'TOOL_DENIED' },
      });
  }
});

test('a policy of folders holds for files by address and by body, and the body arrives', async () => {
  const port = await serverOf((request, response) => request.pipe(response));
  const policy = join(await temporaryDirectory(), 'policy.yaml');
  writeFileSync(policy, 'default: {tools: [files], files: [/workspace/open]}');
  const { ask, sandboxes } = await frontTest({
    sandboxes: modelSandboxes(async () => connect(port, '127.0.0.1')),
    policy,
  });
  const { body: made } = await ask('POST', '/v1/sandboxes');
  await expect.poll(() => sandboxes.find(made.id)?.status, { timeout: 30_000 }).toBe('running');
  const at = `/v1/sandboxes/${made.id}/runtime`;
  const file = { path: 'open/a', content: 'x'.repeat(100_000) };
  expect(await ask('POST', `${at}/files/write`, file)).toMatchObject({ status: 200, body: file });
  expect((await ask('POST', `${at}/fs/mkdir/workspace/open/b?recursive=true`)).status).toBe(200);
  for (const path of ['/etc/passwd', 'open/../closed', '../etc/passwd', '/workspace/opened'])
    expect((await ask('POST', `${at}/files/read`, { path })).status).toBe(403);
  for (const path of [
    '/fs/stat/etc/passwd',
    '/fs/list/workspace',
    '/fs/listopen',
    '/fs/workspace',
    '/fs/upload',
    '/fs/stat/%65tc',
  ])
    expect((await ask('GET', `${at}${path}`)).status, path).toBe(403);
  expect((await ask('POST', `${at}/terminals/commands`, {})).status).toBe(403);
});

test('a token of less, for a browser: some tools, some minutes', async () => {
  const { ask, id } = await running((_, response) => response.end('{}'));
  const made = await ask('POST', `/v1/sandboxes/${id}/tokens`, { capabilities: ['files'], ttlMinutes: 1 });
  expect(made.status).toBe(201);
  const left = new Date(made.body.expiresAt).getTime() - Date.now();
  expect(left).toBeLessThanOrEqual(60_000);
  const headers = { authorization: `Bearer ${made.body.token}` };
  expect((await ask('POST', `/sidecar/${id}/files/read`, {}, headers)).status).toBe(200);
  expect((await ask('POST', `/sidecar/${id}/terminals/commands`, {}, headers)).status).toBe(403);
  expect((await ask('POST', `/v1/sandboxes/${id}/tokens`, { capabilities: ['root'] })).status).toBe(400);
  expect((await ask('POST', `/v1/sandboxes/${id}/tokens`, { ttlMinutes: 16 })).status).toBe(400);
});

test('what does not run or does not answer is said', async () => {
  const front = await frontTest();
  const { body } = await front.ask('POST', '/v1/sandboxes');
  front.sandboxes.set(body.id, { status: 'stopped' });
  expect(await front.ask('GET', `/v1/sandboxes/${body.id}/runtime/process`)).toMatchObject({
    status: 409,
    body: { code: 'INVALID_STATE', currentState: 'stopped', requiredState: 'running' },
  });
  const port = await serverOf((request) => request.socket.destroy());
  const dying = await frontTest({ sandboxes: modelSandboxes(async () => connect(port, '127.0.0.1')) });
  const { body: made } = await dying.ask('POST', '/v1/sandboxes');
  await expect.poll(() => dying.sandboxes.find(made.id)?.status, { timeout: 30_000 }).toBe('running');
  expect(await dying.ask('GET', `/v1/sandboxes/${made.id}/runtime/process`)).toMatchObject({
    status: 502,
    body: { code: 'SANDBOX_UNREACHABLE' },
  });
});

test.each([
  ['/files/../terminals/commands', true],
  ['/files/%2e%2E/terminals', true],
  ['/files/%2e%2e%2fterminals', true],
  ['/files\\..\\terminals', true],
  ['/fs/list/..', true],
  ['/fs/list/a..b/.c', false],
])('%s is ambiguous: %s', (path, is) => {
  expect(isAmbiguous(path)).toBe(is);
});

test.each([
  ['/terminals/commands', 'exec'],
  ['/terminals/commandsx', 'terminal'],
  ['/fs/listsrc', 'files'],
  ['/processes', 'unknown'],
  ['//terminals/commands', 'unknown'],
  ['/capabilities', 'always'],
])('%s is %s', (path, tool) => {
  expect(toolOf(path)).toBe(tool);
});

test('whether a sandbox lives is asked without a token at its own address, and nothing else', async () => {
  const { ask, id, sandboxes } = await running((request, response) => {
    response.end(JSON.stringify({ path: request.url, token: request.headers.authorization ?? null }));
  });
  const without = { authorization: '' };
  const health = await ask('GET', `/sidecar/${id}/health`, undefined, without);
  expect(health).toMatchObject({ status: 200, body: { path: '/health', token: null } });
  expect((await ask('GET', `/sidecar/${id}/health/detailed`, undefined, without)).status).toBe(401);
  expect((await ask('GET', `/v1/sandboxes/${id}/runtime/health`, undefined, without)).status).toBe(401);
  expect((await ask('GET', '/sidecar/sb-9/health', undefined, without)).status).toBe(404);
  sandboxes.set(id, { status: 'stopped' });
  expect((await ask('GET', `/sidecar/${id}/health`, undefined, without)).status).toBe(409);
});

test('a WebSocket goes through as it comes, and a key among its protocols stays here', async () => {
  const inner = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await new Promise((resolve) => inner.once('listening', resolve));
  const seen: IncomingMessage[] = [];
  inner.on('connection', (socket, request) => {
    seen.push(request);
    socket.on('message', (data, isBinary) => socket.send(isBinary ? data : `echo ${data}`));
  });
  onTestFinished(() => {
    for (const client of inner.clients) client.terminate();
    inner.close();
  });
  const { port } = inner.address() as AddressInfo;
  const front = await frontTest({ sandboxes: modelSandboxes(async () => connect(port, '127.0.0.1')) });
  const { id } = (await front.ask('POST', '/v1/sandboxes', {})).body;
  await expect.poll(() => front.sandboxes.find(id)?.status, { timeout: 30_000 }).toBe('running');
  const { connection } = (await front.ask('GET', `/v1/sandboxes/${id}`)).body;
  const bearer = (token: string) => `bearer.${Buffer.from(token).toString('base64url')}`;
  const at = (path: string) => `${front.url.replace('http', 'ws')}${path}/terminals/x/ws?a=b`;

  for (const [path, token] of [
    [`/v1/sandboxes/${id}/runtime`, 'sk_test'],
    [`/sidecar/${id}`, connection.authToken],
  ] as const) {
    // The client that browsers have, and Node: it ends the connection when it is not told its protocol.
    const socket = new globalThis.WebSocket(at(path), [bearer(token)]);
    socket.binaryType = 'arraybuffer';
    const answers: unknown[] = [];
    socket.addEventListener('message', ({ data }) => answers.push(data));
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve);
      socket.addEventListener('error', reject);
    });
    expect(socket.protocol).toBe(bearer(token));
    socket.send('hello');
    socket.send(new Uint8Array([1, 2, 255]));
    await expect.poll(() => answers.length, { timeout: 30_000 }).toBe(2);
    expect(answers[0]).toBe('echo hello');
    expect([...new Uint8Array(answers[1] as ArrayBuffer)]).toEqual([1, 2, 255]);
    const { url, headers } = seen.pop()!;
    expect([url, headers.authorization]).toEqual(['/terminals/x/ws?a=b', `Bearer box-of-${id}`]);
    expect(JSON.stringify(headers)).not.toContain('bearer.');
    socket.close();
    await expect.poll(() => inner.clients.size, { timeout: 30_000 }).toBe(0);
  }

  // Whoever may not is told in the words of the API.
  const status = (path: string, token?: string) =>
    new Promise((resolve) => {
      const socket = new WebSocket(at(path), token === undefined ? [] : [bearer(token)]);
      socket.once('unexpected-response', (_, response) => {
        let text = '';
        response.on('data', (piece) => {
          text += piece;
        });
        response.on('end', () => resolve([response.statusCode, JSON.parse(text).code]));
      });
      socket.once('error', () => undefined);
    });
  expect(await status(`/sidecar/${id}`)).toEqual([401, 'UNAUTHORIZED']);
  expect(await status(`/sidecar/${id}`, 'wrong')).toEqual([403, 'FORBIDDEN']);
  expect(await status('/v1/sandboxes/sb-9/runtime', 'sk_test')).toEqual([404, 'NOT_FOUND']);
  // An open one does not keep the server from ending.
  const last = new WebSocket(at(`/sidecar/${id}`), [bearer(connection.authToken)]);
  await new Promise((resolve) => last.once('open', resolve));
  const closed = new Promise((resolve) => last.once('close', resolve));
  await front.close();
  await closed;
});

test('a sandbox’s token opens its inside also by the path of keys, which newer clients are given; and nothing else there', async () => {
  const { ask, id, token, sandboxes } = await running((_, response) => response.end('{"data":1}'));
  expect((await ask('GET', `/v1/sandboxes/${id}/runtime/process`, undefined, token)).status).toBe(200);
  const { body: other } = await ask('POST', '/v1/sandboxes', {});
  await expect.poll(() => sandboxes.find(other.id)?.status, { timeout: 30_000 }).toBe('running');
  expect((await ask('GET', `/v1/sandboxes/${other.id}/runtime/process`, undefined, token)).status).toBe(401);
  for (const path of [`/v1/sandboxes/${id}`, '/v1/sandboxes', `/v1/sandboxes/${id}/disk/list`])
    expect((await ask('GET', path, undefined, token)).status, path).toBe(401);
  // The disk is the same one for as long as it is there.
  const info = (await ask('GET', `/v1/sandboxes/${id}`)).body;
  expect(info).toMatchObject({
    filesystemIncarnationId: expect.stringMatching(
      /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/,
    ),
    filesystemIncarnationReadiness: 'ready',
    connection: { edgeStatus: 'ready' },
  });
  sandboxes.set(id, { status: 'stopped' });
  const { filesystemIncarnationId } = (await ask('GET', `/v1/sandboxes/${id}`)).body;
  expect(filesystemIncarnationId).toBe(info.filesystemIncarnationId);
});
