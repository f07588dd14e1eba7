import { once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { expect, inject, onTestFinished, test } from 'vitest';
import { supervised } from '../support/process/supervised.ts';

async function listening(server: net.Server, host: string): Promise<number> {
  server.listen(0, host);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/**
 * A gateway before the store that closes kept connections: every second request on one is cut without an answer. Its headers
 * are in capitals, and it tells no time.
 */
async function moodyGateway(): Promise<{ readonly endpoint: string; readonly cuts: () => number }> {
  const asked = new WeakMap<net.Socket, number>();
  let cuts = 0;
  const server = http.createServer((request, response) => {
    const count = (asked.get(request.socket) ?? 0) + 1;
    asked.set(request.socket, count);
    if (count % 2 === 0) {
      cuts += 1;
      request.socket.destroy();
      return;
    }
    const { method, url, headers } = request;
    const options = { host: '127.0.0.1', port: inject('minio').port, method, path: url, headers };
    const onward = http.request(options, (answer) => {
      const capitals = Object.entries(answer.headers).map(([name, value]) => [name.toUpperCase(), value]);
      response.sendDate = false;
      response.writeHead(answer.statusCode ?? 500, { ...Object.fromEntries(capitals), DATE: [] });
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  return { endpoint: `127.0.0.1:${await listening(server, '127.0.0.1')}`, cuts: () => cuts };
}

const big = 'head -c 9000000 /dev/urandom > big; md5sum big > sum';

test('a gateway that closes kept connections in the middle of a request: saved and restored alike', async () => {
  const bot = await supervised(`${big}; echo kept > f`);
  const gateway = await moodyGateway();
  const end = await bot.start({ MINIO_ENDPOINT: gateway.endpoint }).finished;
  expect(end.code, end.stderr).toBe(0);
  expect(gateway.cuts()).toBeGreaterThan(0);
  expect(await bot.saved('md5sum -c sum; cat f')).toBe('big: OK\nkept\n');
  const again = await supervised('md5sum -c sum; cat f', bot.env.BOT_ID);
  const restored = await again.start({ MINIO_ENDPOINT: gateway.endpoint }).finished;
  expect(restored, restored.stderr).toMatchObject({ code: 0, stdout: 'big: OK\nkept\n' });
});

test.each(['[::1]:PORT', 'http://[::1]:PORT'])('the store at an IPv6 address: %s', async (endpoint) => {
  const server = net.createServer((socket) => {
    const onward = net.connect(inject('minio').port, '127.0.0.1');
    for (const [from, to] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      from.on('error', () => to.destroy());
      from.pipe(to);
    }
  });
  const port = await listening(server, '::1');
  const bot = await supervised('echo kept > f');
  const end = await bot.start({ MINIO_ENDPOINT: endpoint.replace('PORT', String(port)) }).finished;
  expect(end.code, end.stderr).toBe(0);
  expect(await bot.saved('cat f')).toBe('kept\n');
});
