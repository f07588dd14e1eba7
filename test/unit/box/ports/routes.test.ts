import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { startBox } from '../../../support/box/startBox.ts';

test('says which ports anybody listens on', async () => {
  const box = await startBox();
  const script =
    'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(); print(s.getsockname()[1], flush=True); input()';
  const { data } = await box.client.json('POST', '/process/spawn', {
    executable: 'sh',
    args: ['-c', `sleep 1000 | python3 -c '${script}'`],
  });
  let port = 0;
  for await (const entry of box.client.logs(data.pid)) {
    port = Number(entry.data);
    break;
  }
  const ports = (await box.client.json('GET', '/ports')).data.ports as {
    port: number;
    isLoopback: boolean;
  }[];
  expect(ports).toContainEqual({ port, isLoopback: true });
  // Its own is not among them.
  expect(ports.map((one) => one.port)).not.toContain(Number(new URL(box.url).port));
});

test('the way to a port that only this machine may reach: any method, bodies both ways, and without our token', async () => {
  const box = await startBox();
  const script = `
import http.server
class H(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.send_response(201); self.send_header("x-own", "1"); self.end_headers()
        self.wfile.write(f"{self.path} {self.headers.get('authorization')} {body.decode()}".encode())
s = http.server.HTTPServer(("127.0.0.1", 0), H); print(s.server_port, flush=True); s.serve_forever()`;
  await box.client.write('server.py', script);
  const pid = await box.client.spawn('exec python3 server.py');
  let port = 0;
  for await (const entry of box.client.logs(pid)) {
    port = Number(entry.data);
    break;
  }
  const response = await box.fetch(`/ports/${port}/a%20b?c=d`, { method: 'POST', body: 'hello' });
  expect([response.status, response.headers.get('x-own')]).toEqual([201, '1']);
  expect(await response.text()).toBe('/a%20b?c=d None hello');
  await box.client.kill(pid, 'SIGKILL');
  await box.client.wait(pid);
  expect(await box.ask('GET', `/ports/${port}/`)).toMatchObject({
    status: 502,
    body: { code: 'PORT_UNREACHABLE' },
  });
  for (const path of ['0/', '70000/', 'x/', `${new URL(box.url).port}/health`]) {
    expect((await box.ask('GET', `/ports/${path}`)).status, path).toBe(400);
  }
});

test('the way to a port that speaks WebSocket', async () => {
  const box = await startBox();
  const inner = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await new Promise((resolve) => inner.once('listening', resolve));
  inner.on('connection', (socket) => socket.on('message', (data) => socket.send(`echo ${data}`)));
  onTestFinished(() => {
    for (const client of inner.clients) client.terminate();
    inner.close();
  });
  const at = `${box.url.replace('http', 'ws')}/ports/${(inner.address() as AddressInfo).port}/hot`;
  const socket = new WebSocket(at, ['vite-hmr'], { headers: { authorization: 'Bearer token-of-the-box' } });
  const answer = new Promise((resolve) => socket.once('message', (data) => resolve(data.toString())));
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  expect(socket.protocol).toBe('vite-hmr');
  socket.send('hello');
  expect(await answer).toBe('echo hello');
  socket.close();
  await expect.poll(() => inner.clients.size, { timeout: 30_000 }).toBe(0);
});
