import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { Secret } from '../../../../../src/base/secret.ts';
import { digest } from '../../../../../src/protocol/tangle/access/access.ts';
import { changeKeys } from '../../../../../src/protocol/tangle/access/changeKeys.ts';
import { keyFileIn } from '../../../../../src/protocol/tangle/access/keyFile.ts';
import { frontTest } from '../../../../support/serve/frontTest.ts';
import { healthy, hostsFile, slots } from '../../../../support/serve/machines.ts';
import { modelSandboxes } from '../../../../support/serve/modelSandboxes.ts';

/** A sandbox inside of which every WebSocket is taken. */
async function withSockets() {
  const server = createServer((_request, response) => response.end('{"data":{"ports":[]}}'));
  const sockets = new WebSocketServer({ server });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => {
    for (const client of sockets.clients) client.terminate();
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return modelSandboxes(async () => connect(port, '127.0.0.1'));
}

async function open(url: string, token: string) {
  const protocol = `bearer.${Buffer.from(token).toString('base64url')}`;
  const socket = new WebSocket(url.replace('http', 'ws'), [protocol]);
  onTestFinished(() => socket.terminate());
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  return { socket, closed };
}

test('a shell on a WebSocket is held for no longer than the key, by the key itself and by its token', async () => {
  const front = await frontTest({ sandboxes: await withSockets() });
  const path = keyFileIn(front.folder);
  const keyOf = (name: string) => ({
    name,
    scopes: ['read', 'write', 'runtime'] as const,
    sha256: digest(`key-of-${name}`).toString('hex'),
    createdAt: 0,
    expiresAt: undefined,
  });
  await changeKeys(path, () => [keyOf('ci'), keyOf('other')]);
  const held = async (name: string) => {
    const headers = { authorization: `Bearer key-of-${name}` };
    const { id } = (await front.ask('POST', '/v1/sandboxes', {}, headers)).body;
    front.sandboxes.set(id, { status: 'running' });
    const { authToken } = (await front.ask('GET', `/v1/sandboxes/${id}`, undefined, headers)).body.connection;
    return await Promise.all([
      open(`${front.url}/v1/sandboxes/${id}/runtime/terminals/x/ws`, `key-of-${name}`),
      open(`${front.url}/sidecar/${id}/terminals/x/ws`, authToken),
    ]);
  };
  const [ci, other] = [await held('ci'), await held('other')];
  await changeKeys(path, () => [keyOf('other')]);
  for (const { closed } of ci) await closed;
  for (const { socket } of other) expect(socket.readyState).toBe(WebSocket.OPEN);
});

test('on another host it is that of the server which asks', async () => {
  const key = new Secret('sk_member');
  const b = await frontTest({ key, hosts: slots(10), sandboxes: await withSockets() });
  const front = await frontTest({ hosts: slots(0), hostsFile: await hostsFile([{ name: 'b', url: b.url }]) });
  await healthy(front, ['b']);
  await changeKeys(keyFileIn(front.folder), () => [
    {
      name: 'ci',
      scopes: ['read', 'write', 'runtime'],
      sha256: digest('key-of-ci').toString('hex'),
      createdAt: 0,
      expiresAt: undefined,
    },
  ]);
  const headers = { authorization: 'Bearer key-of-ci' };
  const { id } = (await front.ask('POST', '/v1/sandboxes', {}, headers)).body;
  b.sandboxes.set(id, { status: 'running' });
  const { authToken } = (await front.ask('GET', `/v1/sandboxes/${id}`, undefined, headers)).body.connection;
  const held = await open(`${front.url}/sidecar/${id}/terminals/x/ws`, authToken);
  // A link that is made by such a token is one: the key ci is not known there.
  const token = { authorization: `Bearer ${authToken}` };
  const { url } = (await front.ask('POST', `/sidecar/${id}/preview-links`, { port: 3000 }, token)).body
    .previewLink;
  expect((await fetch(url)).status).toBe(200);
  // Looked at more than once by now, or soon.
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  expect(held.socket.readyState).toBe(WebSocket.OPEN);
});
