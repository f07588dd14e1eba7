import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { digest } from '../../../../../src/protocol/tangle/access/access.ts';
import { changeKeys } from '../../../../../src/protocol/tangle/access/changeKeys.ts';
import { type KeptKey, keyFileIn } from '../../../../../src/protocol/tangle/access/keyFile.ts';
import { frontTest } from '../../../../support/serve/frontTest.ts';
import { modelSandboxes } from '../../../../support/serve/modelSandboxes.ts';

/** A server in the place of the one inside, on which this port listens: it says what it was asked. */
async function running(port: number) {
  const server = createServer((request, response) => {
    const isPorts = request.url === '/ports';
    const said = [request.method, request.url, request.headers.authorization];
    response.end(JSON.stringify(isPorts ? { data: { ports: [{ port }] } } : said));
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(`echo ${data}`)));
  onTestFinished(() => {
    for (const client of sockets.clients) client.terminate();
  });
  const { port: at } = server.address() as AddressInfo;
  const front = await frontTest({ sandboxes: modelSandboxes(async () => connect(at, '127.0.0.1')) });
  const { id } = (await front.ask('POST', '/v1/sandboxes', {})).body;
  await expect.poll(() => front.sandboxes.find(id)?.status, { timeout: 30_000 }).toBe('running');
  return { ...front, id, one: `/v1/sandboxes/${id}/runtime/preview-links` };
}

test('a link is for a browser: whoever has it has the port, and nothing else', async () => {
  const { ask, one, id, url, folder, sandboxes } = await running(3000);
  const { status, body } = await ask('POST', one, { port: 3000, protocol: 'tcp' });
  expect(status).toBe(201);
  const link = body.previewLink;
  expect(link).toMatchObject({
    previewId: expect.stringMatching(/^prv-[0-9a-f]{40}$/),
    sandboxId: id,
    port: 3000,
    protocol: 'tcp',
    status: 'ready',
    url: `${url}/preview/${id}/${link.previewId}/`,
  });
  expect((await ask('POST', one, { port: 3000 })).body.previewLink.previewId).toBe(link.previewId);
  expect((await ask('GET', `${one}/${link.previewId}`)).body.previewLink).toEqual(link);
  // Nobody listens there yet.
  expect((await ask('POST', one, { port: 4000 })).body.previewLink.status).toBe('pending');
  expect((await ask('GET', one)).body.previewLinks).toHaveLength(2);

  const page = await fetch(`${link.url}a%20b/c.js?d=e`, { headers: { authorization: 'Bearer mine' } });
  expect(await page.json()).toEqual(['GET', '/ports/3000/a%20b/c.js?d=e', `Bearer box-of-${id}`]);
  expect(page.headers.get('access-control-allow-origin')).toBe('*');
  expect(page.headers.get('content-security-policy')).toContain('sandbox');
  const wrong = (path: string) => fetch(`${url}/preview/${path}`).then((answer) => answer.status);
  expect(await wrong(`${id}/prv-${'0'.repeat(40)}/`)).toBe(404);
  expect(await wrong(`other/${link.previewId}/`)).toBe(404);
  expect(await wrong(`${id}/${link.previewId}/..%2f..%2fterminals`)).toBe(400);
  // What it asks for is a key: no journal has it.
  await fetch(link.url, { method: 'POST' });
  await expect
    .poll(() => readFileSync(join(folder, 'audit', newest(folder)), 'utf8'), { timeout: 20_000 })
    .toContain(`/preview/${id}/…`);
  expect(readFileSync(join(folder, 'audit', newest(folder)), 'utf8')).not.toContain(`${link.previewId}/`);

  sandboxes.set(id, { status: 'stopped' });
  expect((await fetch(link.url)).status).toBe(409);
  sandboxes.set(id, { status: 'running' });
  expect((await ask('DELETE', `${one}/${link.previewId}`)).status).toBe(200);
  expect((await fetch(link.url)).status).toBe(404);
  expect((await ask('GET', `${one}/${link.previewId}`)).status).toBe(404);
});

test('a link outlives the server, and goes with its key', async () => {
  const { folder, sandboxes, close } = await running(3000);
  const path = keyFileIn(folder);
  const sha256 = digest('key-of-ci').toString('hex');
  const ci: KeptKey = { name: 'ci', scopes: ['admin'], sha256, createdAt: 0, expiresAt: undefined };
  await changeKeys(path, () => [ci]);
  const [{ id } = { id: '' }] = sandboxes.all();
  await close();
  const next = await frontTest({ folder, sandboxes });
  const asCi = { authorization: 'Bearer key-of-ci' };
  const made = await next.ask('POST', `/v1/sidecars/${id}/network/expose`, { port: 3000 }, asCi);
  await next.close();
  const last = await frontTest({ folder, sandboxes });
  const link = `${last.url}${new URL(made.body.url).pathname}`;
  expect((await fetch(link)).status).toBe(200);
  // The way in that is shown of a port is its link, once it has one.
  const { urls } = (await last.ask('GET', `/v1/sidecars/${id}/network/urls`)).body;
  expect(urls).toEqual({ 3000: link });
  await changeKeys(path, () => []);
  await expect.poll(async () => (await fetch(link)).status, { timeout: 20_000 }).toBe(404);
});

test('what is held open by a link ends with it: when it is deleted, and when its key goes', async () => {
  const { ask, one, folder, url } = await running(3000);
  const path = keyFileIn(folder);
  const sha256 = digest('key-of-ci').toString('hex');
  const ci: KeptKey = { name: 'ci', scopes: ['admin'], sha256, createdAt: 0, expiresAt: undefined };
  await changeKeys(path, () => [ci]);
  const asCi = { authorization: 'Bearer key-of-ci' };
  const link = async (headers?: Record<string, string>) => {
    const { body } = await ask('POST', one, { port: 3000 }, headers);
    return body.previewLink as { previewId: string; url: string };
  };
  const open = async (address: string) => {
    const socket = new WebSocket(address.replace('http', 'ws'));
    onTestFinished(() => socket.terminate());
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    const echoed = new Promise((resolve) => socket.once('message', (data) => resolve(String(data))));
    socket.send('hello');
    expect(await echoed).toBe('echo hello');
    return { socket, closed };
  };
  const [own, others] = [await link(), await link(asCi)];
  expect(own.previewId).not.toBe(others.previewId);
  const [first, second] = [await open(own.url), await open(others.url)];
  expect((await ask('DELETE', `${one}/${own.previewId}`)).status).toBe(200);
  await first.closed;
  expect(second.socket.readyState).toBe(WebSocket.OPEN);
  await changeKeys(path, () => []);
  await second.closed;
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
});

const newest = (folder: string) => readdirSync(join(folder, 'audit')).sort().at(-1)!;
