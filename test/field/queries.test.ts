import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject, onTestFinished, test } from 'vitest';
import { containerBots } from '../support/container/containerBots.ts';
import { newContainer, startRuntime } from '../support/process/executable.ts';
import { freePort } from '../support/process/freePort.ts';
import { request } from '../support/query/queryServer.ts';

/** A running bot with a query program that says which path it was asked; the port that answers. */
async function askedPath(): Promise<number> {
  const bots = await containerBots(inject('minio'));
  const deployed = await bots.deploy({
    kind: 'nodejs20',
    entrypoint: 'bot.js',
    files: {
      'bot.js': 'setInterval(() => {}, 1000);',
      'query.js': `require('http').createServer((request, response) => response.end(JSON.stringify({ status: 'ok', data: request.url })))
  .listen(process.env.THE0_QUERY_PORT, '127.0.0.1');`,
    },
  });
  const container = await newContainer();
  const port = await freePort();
  const run = startRuntime(['execute'], {
    ...deployed,
    ...container.env,
    BOT_TYPE: 'realtime',
    QUERY_ENTRYPOINT: 'query.js',
    QUERY_PORT: String(port),
  });
  onTestFinished(async () => {
    run.child.kill('SIGTERM');
    await run.finished;
  });
  const ready = () =>
    request(port, 'GET', '/_runtime/readyz').then(
      ({ status }) => status,
      () => 0,
    );
  await expect.poll(ready, { timeout: 30_000 }).toBe(200);
  return port;
}

/** All that comes back until `enough`, or the other side closes. */
async function answers(socket: net.Socket, enough: (text: string) => boolean): Promise<string> {
  let text = '';
  for await (const piece of socket.setEncoding('utf8')) {
    text += piece;
    if (enough(text)) break;
  }
  return text;
}

const connect = async (port: number, options: Partial<net.TcpNetConnectOpts> = {}) => {
  const socket = net.connect({ port, host: '127.0.0.1', ...options });
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
};

const paths = (text: string) => [...text.matchAll(/"data":"([^"]*)"/g)].map(([, path]) => path);
const get = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nHost: h\r\n${more}\r\n`;

test('clients that are unusual and within their rights get their answers', async () => {
  const port = await askedPath();

  const pipelined = await connect(port);
  pipelined.write(
    `${get('/1')}POST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 7\r\n\r\n{"a":1}${get('/3?x=%2F')}`,
  );
  expect(paths(await answers(pipelined, (text) => paths(text).length === 3))).toEqual([
    '/1',
    '/2?a=1',
    '/3?x=%2F',
  ]);

  const dripping = await connect(port);
  for (const byte of get('/drip')) {
    dripping.write(byte);
    await sleep(2);
  }
  expect(paths(await answers(dripping, (text) => paths(text).length === 1))).toEqual(['/drip']);

  const halfClosed = await connect(port, { allowHalfOpen: true });
  halfClosed.end(get('/half'));
  expect(paths(await answers(halfClosed, (text) => paths(text).length === 1))).toEqual(['/half']);

  const upgrading = await connect(port);
  upgrading.write(get('/upgrade', 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n'));
  const plain = await answers(upgrading, (text) => paths(text).length === 1);
  expect(plain).toMatch(/^HTTP\/1\.1 200 /);
  expect(paths(plain)).toEqual(['/upgrade']);

  const waiting = await connect(port);
  waiting.write('POST /expect HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 7\r\n\r\n');
  expect(await answers(await once100(waiting), (text) => paths(text).length === 1)).toContain('/expect?a=1');
});

/** Sends the body once the server has asked for it. */
async function once100(socket: net.Socket): Promise<net.Socket> {
  const [first] = (await once(socket, 'data')) as [Buffer];
  expect(first.toString()).toBe('HTTP/1.1 100 Continue\r\n\r\n');
  socket.write('{"a":1}');
  return socket;
}

test('300 clients that never end their request, and 200 that hang up, hold nobody up', async () => {
  const port = await askedPath();
  for (let i = 0; i < 200; i += 1) {
    (await connect(port)).write('GET /slow HTTP/1.1\r\nX: ');
    if (i < 100)
      (await connect(port)).write('POST /slow HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n{');
    const gone = await connect(port);
    gone.write(get('/gone'));
    gone.resetAndDestroy();
  }
  const reply = await request(port, 'GET', '/a%2Fb/%2e%2e/c');
  expect(reply).toMatchObject({ status: 200, text: '{"status":"ok","data":"/a%2Fb/%2e%2e/c"}' });
});

test('numbers arrive as they were written; what is not UTF-8 is refused', async () => {
  const port = await askedPath();
  const ask = async (body: string | Buffer) => {
    const socket = await connect(port);
    socket.write(`POST /order HTTP/1.1\r\nHost: h\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`);
    socket.write(body);
    return await answers(socket, (text) => text.includes('"status"'));
  };
  const order = await ask('{"id":36028797018963969,"price":0.10000000000000000555,"most":2e308,"all":[1.0]}');
  expect(paths(order)).toEqual([
    '/order?id=36028797018963969&price=0.10000000000000000555&most=2e308&all=%5B1.0%5D',
  ]);
  expect(await ask(Buffer.from('{"name":"caf\xe9"}', 'latin1'))).toMatch(/^HTTP\/1\.1 400 /);
});
