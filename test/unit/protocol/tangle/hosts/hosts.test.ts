import { createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { Secret } from '../../../../../src/base/secret.ts';
import { digest } from '../../../../../src/protocol/tangle/access/access.ts';
import { changeKeys } from '../../../../../src/protocol/tangle/access/changeKeys.ts';
import { type KeptKey, keyFileIn } from '../../../../../src/protocol/tangle/access/keyFile.ts';
import { readHostsFile } from '../../../../../src/protocol/tangle/hosts/hostsFile.ts';
import { fakeClock } from '../../../../support/fakeClock.ts';
import { temporaryDirectory } from '../../../../support/files/temporary.ts';
import { freePort } from '../../../../support/process/freePort.ts';
import { type FrontTest, frontTest } from '../../../../support/serve/frontTest.ts';
import {
  healthy,
  hostsFile,
  machine,
  runningSandbox,
  serverOf,
  slots,
} from '../../../../support/serve/machines.ts';
import { modelSandboxes } from '../../../../support/serve/modelSandboxes.ts';

test('sandboxes go where there is room, and everything that is asked of one is sent there', async () => {
  const b = await machine(10);
  const front = await frontTest({ hosts: slots(0), hostsFile: await hostsFile([{ name: 'b', url: b.url }]) });
  await healthy(front, ['b']);
  await front.ask('POST', '/v1/secrets', { name: 'DB', value: 's3cret' });
  const made = await front.ask('POST', '/v1/sandboxes', {
    name: 'there',
    secrets: ['DB'],
    idempotencyKey: 'k',
    driver: { type: 'docker', targetHostIds: ['b'] },
  });
  expect(made.status).toBe(201);
  const { id } = made.body;
  expect(front.sandboxes.asked).toEqual([]);
  expect(b.sandboxes.asked[0]).toMatchObject({ owner: 'default', name: 'there' });
  expect(b.sandboxes.asked[0]!.secretEnv.DB!.reveal()).toBe('s3cret');
  await expect
    .poll(async () => (await front.ask('GET', `/v1/sandboxes/${id}`)).body.status, { timeout: 30_000 })
    .toBe('running');

  const { body } = await front.ask('GET', `/v1/sandboxes/${id}`);
  expect(body.connection.sidecarUrl).toBe(`${front.url}/sidecar/${id}`);
  const token = { authorization: `Bearer ${body.connection.authToken}` };
  expect((await front.ask('GET', `/sidecar/${id}/process?a=1`, undefined, token)).body.inside).toBe(
    '/process?a=1',
  );
  expect((await front.ask('POST', `/v1/sandboxes/${id}/runtime/files/read`, { path: 'x' })).body.inside).toBe(
    '/files/read',
  );
  expect(
    (await front.ask('GET', `/sidecar/${id}/process`, undefined, { authorization: 'Bearer x' })).status,
  ).toBe(403);
  expect((await front.ask('GET', '/v1/sandboxes')).body.sandboxes).toMatchObject([{ id }]);
  // Asked again with its key it is the same one.
  expect((await front.ask('POST', '/v1/sandboxes', { name: 'there', idempotencyKey: 'k' })).status).not.toBe(
    503,
  );
  expect((await front.ask('DELETE', `/v1/sandboxes/${id}`)).status).toBe(200);
  expect((await front.ask('GET', `/v1/sandboxes/${id}`)).status).toBe(404);
});

test('a WebSocket and a link reach a sandbox on another host, with a token as with a key', async () => {
  const server = createServer((request, response) =>
    response.end(
      request.url === '/ports' ? '{"data":{"ports":[]}}' : JSON.stringify({ inside: request.url }),
    ),
  ).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const sockets = new WebSocketServer({ server });
  const offered: (string | undefined)[] = [];
  sockets.on('connection', (socket, request) => {
    offered.push(request.headers['sec-websocket-protocol']);
    socket.on('message', (data) => socket.send(`echo ${data}`));
  });
  onTestFinished(() => {
    for (const client of sockets.clients) client.terminate();
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const b = await frontTest({
    key: new Secret('sk_member'),
    hosts: slots(10),
    sandboxes: modelSandboxes(async () => connect(port, '127.0.0.1')),
  });
  const front = await frontTest({ hosts: slots(0), hostsFile: await hostsFile([{ name: 'b', url: b.url }]) });
  await healthy(front, ['b']);
  const { id, authToken } = await runningSandbox(front);
  for (const [path, token] of [
    [`/v1/sandboxes/${id}/runtime`, 'sk_test'],
    [`/sidecar/${id}`, authToken],
  ] as const) {
    const protocol = `bearer.${Buffer.from(token).toString('base64url')}`;
    const socket = new WebSocket(`${front.url.replace('http', 'ws')}${path}/terminals/x/ws`, [protocol]);
    const answer = new Promise((resolve) => socket.once('message', (data) => resolve(data.toString())));
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    socket.send('hello');
    expect(await answer).toBe('echo hello');
    socket.terminate();
  }
  expect(offered).toEqual([undefined, undefined]);
  const made = await front.ask('POST', `/v1/sandboxes/${id}/runtime/preview-links`, { port: 3000 });
  const { url } = made.body.previewLink;
  expect(url).toContain(`${front.url}/preview/${id}/`);
  expect(await (await fetch(`${url}a`)).json()).toEqual({ inside: '/ports/3000/a' });
});

test('only who may do everything asks for another; secrets by value are his alone to send', async () => {
  const b = await machine(10);
  const asked = { authorization: 'Bearer sk_member', 'x-runtime-for': 'ci' };
  const made = await b.ask('POST', '/v1/sandboxes', { secretEnv: { A: '1' } }, asked);
  expect(b.sandboxes.asked[0]).toMatchObject({ owner: 'ci' });
  expect(made.status).toBe(201);
  await b.ask('POST', '/v1/sandboxes', { secretEnv: { A: '1' } }, { authorization: 'Bearer sk_member' });
  expect(b.sandboxes.asked[1]).toMatchObject({ owner: 'default', secretEnv: {} });
  expect((await b.ask('GET', '/v1/hosts/self', undefined, asked)).status).toBe(403);
});

test('one that stands by gets something when nothing else has room, and then another machine is asked for, once', async () => {
  const calls: { body: string; valid: boolean }[] = [];
  const port = await serverOf((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text) => {
      body += text;
    });
    request.on('end', () => {
      const { 'x-runtime-timestamp': at, 'x-runtime-signature': signature } = request.headers;
      const mac = createHmac('sha256', 'hook-secret').update(`${at}.${body}`).digest('hex');
      calls.push({ body, valid: signature === `v1=${mac}` });
      response.writeHead(204).end();
    });
  });
  const standby = await machine(1);
  const file = await hostsFile(
    [{ name: 's', url: standby.url, standby: true }],
    `http://127.0.0.1:${port}/more`,
  );
  const front = await frontTest({ hosts: slots(1), hostsFile: file });
  await healthy(front, ['s']);
  expect((await front.ask('POST', '/v1/sandboxes')).status).toBe(201);
  expect(standby.sandboxes.asked).toEqual([]);
  expect((await front.ask('POST', '/v1/sandboxes')).status).toBe(201);
  expect(standby.sandboxes.asked).toHaveLength(1);
  const full = await front.ask('POST', '/v1/sandboxes');
  expect(full).toMatchObject({ status: 503, body: { code: 'NO_CAPACITY' } });
  expect(full.body.message).toContain('s: 1 places asked, 0 of 1 free');
  await expect.poll(() => calls.length, { timeout: 30_000 }).toBe(1);
  expect(calls[0]!.valid).toBe(true);
  expect(JSON.parse(calls[0]!.body)).toMatchObject({
    need: { slots: 1 },
    idempotencyKey: expect.any(String),
  });
});

test('a host that is not heard of gets nothing, and costs the others nothing', async () => {
  const port = await serverOf((request) => request.socket.destroy());
  const file = await hostsFile([{ name: 'dead', url: `http://127.0.0.1:${port}` }]);
  const front = await frontTest({ hostsFile: file });
  const made = await front.ask('POST', '/v1/sandboxes');
  expect(made.status).toBe(201);
  expect((await front.ask('GET', '/v1/sandboxes')).body.sandboxes).toHaveLength(1);
  expect((await front.ask('GET', `/v1/sandboxes/${made.body.id}`)).status).toBe(200);
  expect((await front.ask('GET', '/v1/sandboxes/sbx-none')).status).toBe(404);
  const { hosts } = (await front.ask('GET', '/v1/hosts')).body;
  expect(hosts[1]).toMatchObject({ name: 'dead', healthy: false, why: 'it has not been heard of' });
  const metrics = (await front.ask('GET', '/metrics')).body;
  expect(metrics).toContain('runtime_serve_capacity{host="dead",what="healthy",of="total"} 0');
  expect(metrics).toContain('runtime_serve_capacity{host="model",what="healthy",of="total"} 1');
});

test('what a host without a common store has stopped is resumed there alone, and who asks is told', async () => {
  const b = await machine(10);
  const front = await frontTest({ hosts: slots(0), hostsFile: await hostsFile([{ name: 'b', url: b.url }]) });
  await healthy(front, ['b']);
  const { id } = (await front.ask('POST', '/v1/sandboxes')).body;
  b.sandboxes.set(id, { status: 'stopped' });
  const resume = `/v1/sandboxes/${id}/resume`;
  expect(await front.ask('POST', resume)).toMatchObject({ status: 200, body: { id, status: 'running' } });
  expect((await front.ask('POST', resume, { takeFrom: '../x' })).status).toBe(400);
  expect((await front.ask('POST', '/v1/sandboxes/sbx-none/resume')).status).toBe(404);
  await b.close();
  const refused = await front.ask('POST', resume);
  expect(refused).toMatchObject({ status: 502, body: { code: 'HOST_UNREACHABLE' } });
  expect(refused.body.message).toContain('only from a store that they share');
});

test('two that know each other show each sandbox once, and ask each other once', async () => {
  const port = await freePort();
  const key = new Secret('sk_member');
  const toA = await hostsFile([{ name: 'a', url: `http://127.0.0.1:${port}` }]);
  const b = await frontTest({ key, hosts: slots(10), hostsFile: toA });
  const a = await frontTest({
    key,
    port,
    hosts: slots(10),
    hostsFile: await hostsFile([{ name: 'b', url: b.url }]),
    sandboxes: modelSandboxes(),
  });
  const asked = { authorization: 'Bearer sk_member' };
  const all = async (front: FrontTest, path: string) => await front.ask('GET', path, undefined, asked);
  await healthy(a, ['b'], asked);
  await healthy(b, ['a'], asked);
  const made = await a.ask('POST', '/v1/sandboxes', { driver: { targetHostIds: ['b'] } }, asked);
  expect(made.status).toBe(201);
  expect((await all(a, '/v1/sandboxes')).body.sandboxes).toHaveLength(1);
  expect((await all(b, '/v1/sandboxes')).body.sandboxes).toHaveLength(1);
  expect((await all(a, `/v1/sandboxes/${made.body.id}`)).status).toBe(200);
  expect((await all(a, '/v1/sandboxes/sbx-none')).status).toBe(404);
  expect((await a.ask('POST', '/v1/sandboxes/sbx-none/resume', undefined, asked)).status).toBe(404);
});

test('who says that another server has sent it on, and holds no key of one, is counted over all hosts', async () => {
  const b = await machine(10);
  const folder = await temporaryDirectory();
  const sha256 = digest('key-of-ci').toString('hex');
  const ci: KeptKey = { name: 'ci', scopes: ['read', 'write'], sha256, createdAt: 0, expiresAt: undefined };
  await changeKeys(keyFileIn(folder), () => [ci]);
  const policy = join(folder, 'policy.yaml');
  writeFileSync(policy, 'default: {resources: {sandboxes: 1}}');
  const file = await hostsFile([{ name: 'b', url: b.url }]);
  const front = await frontTest({ folder, policy, hosts: slots(10), hostsFile: file });
  await healthy(front, ['b']);
  const asCi = { authorization: 'Bearer key-of-ci' };
  const there = { driver: { targetHostIds: ['b'] } };
  expect((await front.ask('POST', '/v1/sandboxes', there, asCi)).status).toBe(201);
  const more = await front.ask('POST', '/v1/sandboxes', {}, { ...asCi, 'x-runtime-hop': '1' });
  expect(more).toMatchObject({ status: 429, body: { quotaType: 'sandboxes', current: 1 } });
  expect(front.sandboxes.asked).toEqual([]);
});

test('nobody without a key makes the server ask another one; a list is read as on one host', async () => {
  let asked = 0;
  const port = await serverOf((request) => {
    asked++;
    request.socket.destroy();
  });
  // Its time stands still, so that the server asks nobody by itself again.
  const front = await frontTest({
    hostsFile: await hostsFile([{ name: 'b', url: `http://127.0.0.1:${port}` }]),
    clock: fakeClock(Date.now()),
  });
  await expect.poll(() => asked, { timeout: 30_000 }).toBe(1);
  const none = { authorization: '' };
  const calls = ['/v1/sandboxes/sbx-none', '/sidecar/sbx-none/process', '/v1/sidecars/sbx-none/network'];
  for (const path of calls) expect((await front.ask('GET', path, undefined, none)).status).toBe(401);
  expect((await front.ask('GET', calls[1]!, undefined, { authorization: 'Bearer x' })).status).toBe(403);
  // Open to everybody, and still nobody else is asked.
  expect((await front.ask('GET', '/sidecar/sbx-none/health', undefined, none)).status).toBe(404);
  expect(asked).toBe(1);
  expect((await front.ask('GET', calls[0]!)).status).toBe(404);
  expect(asked).toBe(2);
  expect((await front.ask('GET', '/v1/sandboxes?limit=x')).status).toBe(400);
  expect((await front.ask('GET', '/v1/sandboxes?status=lost')).status).toBe(400);
});

test('a file that is wrong names all that is wrong with it', async () => {
  const path = join(await temporaryDirectory(), 'hosts.yaml');
  writeFileSync(path, 'hosts: [{name: "a b", url: "ftp://x", keyFile: key}]\nmore: 1\n');
  let problems: readonly string[] = [];
  try {
    readHostsFile(path);
  } catch (error) {
    ({ problems } = error as { problems: readonly string[] });
  }
  expect(problems.map((line) => line.split(':')[0])).toEqual(
    expect.arrayContaining(['hosts.0.name', 'hosts.0.url', 'hosts.0.keyFile', 'more']),
  );
});
