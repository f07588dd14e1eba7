import { once } from 'node:events';
import http from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../../src/base/clock.ts';
import { Registry } from '../../../../src/base/parts/prometheus.ts';
import { Secret } from '../../../../src/base/secret.ts';
import type { BotView, HostApi } from '../../../../src/host/api/hostApi.ts';
import type { Engine } from '../../../../src/host/engine/engine.ts';
import { makeBotToken } from '../../../../src/host/gateway/botToken.ts';
import type { GatewayOptions } from '../../../../src/host/gateway/gatewayOptions.ts';
import { startGateway } from '../../../../src/host/gateway/startGateway.ts';
import type { Instances } from '../../../../src/host/instances/instances.ts';
import { fakeClock } from '../../../support/fakeClock.ts';
import { startTestServer } from '../../../support/query/queryServer.ts';

const tokenKey = new Secret('key');

/** A bot's real query server with a program that tells what it was asked, and a gateway before it. The host itself is a fake. */
async function gatewayBefore(program: string, options: Partial<GatewayOptions> = {}) {
  const bot = await startTestServer({ program });
  onTestFinished(() => bot[Symbol.asyncDispose]());
  await bot.untilReady();
  const view = (query: string | undefined) =>
    ({ spec: { name: 'b', entrypoints: { bot: 'b', query } } }) as BotView;
  const views: Record<string, BotView> = {
    b: view('q'),
    mute: view(undefined),
    broken: { spec: undefined } as BotView,
  };
  let sourceAnswers = true;
  let isListed = true;
  const api = {
    bot: (name: string) => views[name],
    queryAddress: (name: string) =>
      name === 'b' ? { host: '127.0.0.1', port: bot.port, instance: 'i' } : undefined,
    status: () => ({
      source: { answers: sourceAnswers, listedAt: isListed ? 1 : undefined },
      get bots() {
        throw new Error('a query looks at no other bot');
      },
    }),
  } as unknown as HostApi;
  const engine = { list: async () => [] } as unknown as Engine;
  const log = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: () => undefined,
  };
  const gateway = await startGateway({
    api,
    engine,
    instances: {} as Instances,
    stateVersion: async () => undefined,
    waiting: { size: 0, folder: '' },
    draining: () => false,
    port: 0,
    token: undefined,
    tokenKey,
    clock: systemClock,
    log,
    registry: new Registry(),
    ...options,
  });
  onTestFinished(() => gateway.close());
  const url = `http://127.0.0.1:${gateway.port}`;
  return {
    url,
    bot,
    loseSource: () => {
      sourceAnswers = false;
    },
    forgetSource: () => {
      isListed = false;
    },
    post: async (body: unknown, headers: Record<string, string> = {}) => {
      const answer = await fetch(`${url}/query`, { method: 'POST', body: JSON.stringify(body), headers });
      return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
    },
  };
}

const ECHO = `
require('http').createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://x');
  if (pathname === '/slow') return;
  if (pathname === '/no') return response.writeHead(404).end('{"status":"error","error":"no such query"}');
  if (pathname === '/huge') return response.end('{"status":"ok","data":"' + 'x'.repeat(15e6) + '"}');
  if (pathname === '/big') return response.end('{"status":"ok","data":"' + 'x'.repeat(9e6) + '"}');
  response.end(JSON.stringify({ status: 'ok', data: { pathname, params: Object.fromEntries(searchParams), headers: Object.keys(request.headers) } }));
}).listen(process.env.THE0_QUERY_PORT, '127.0.0.1');
`;

test('POST /query asks a running bot in place and answers as the0 does', async () => {
  const { post } = await gatewayBefore(ECHO);
  const { status, body } = await post({ bot_id: 'b', query_path: 'x', params: { symbol: 'BTC', n: 3 } });
  expect(status).toBe(200);
  expect(body).toEqual({
    status: 'ok',
    data: expect.objectContaining({ pathname: '/x', params: { symbol: 'BTC', n: '3' } }),
    duration: expect.any(Number),
    timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/),
  });
  expect(body.duration).toBeGreaterThan(1e4);
});

test.each([
  [{ bot_id: 'b' }, 400, 'query_path is required'],
  [{ bot_id: 'nobody', query_path: '/' }, 404, 'bot not found: nobody'],
  [{ bot_id: 'mute', query_path: '/' }, 404, 'bot mute does not have a query entrypoint'],
  [{ bot_id: 'broken', query_path: '/' }, 404, 'bot broken does not have entrypoints configured'],
  [{ bot_id: 'b', query_path: '/no' }, 500, 'no such query'],
  [{ bot_id: 'b', query_path: '/slow', timeout_sec: 0.2 }, 500, 'b did not answer within 200 ms'],
])('POST /query %j is %i', async (query, status, error) => {
  const { post } = await gatewayBefore(ECHO);
  expect(await post(query)).toEqual({
    status,
    body: { status: 'error', error, duration: expect.any(Number), timestamp: expect.any(String) },
  });
});

test('other methods, bodies that are not JSON or too large, other paths', async () => {
  const { url } = await gatewayBefore(ECHO);
  expect((await fetch(`${url}/query`)).status).toBe(405);
  const bad = await fetch(`${url}/query`, { method: 'POST', body: '{' });
  expect([bad.status, await bad.json()]).toEqual([
    400,
    expect.objectContaining({ error: expect.stringMatching(/^invalid request body: /) }),
  ]);
  expect((await fetch(`${url}/query`, { method: 'POST', body: 'x'.repeat(2 ** 20 + 1) })).status).toBe(413);
  expect((await fetch(`${url}/else`)).status).toBe(404);
  expect(await (await fetch(`${url}/health`)).json()).toEqual({ status: 'ok' });
  expect(await (await fetch(`${url}/metrics`)).text()).toContain('runtime_host_queries_in_flight 0');
});

test("a bot's own path is answered as its own server does, and no token goes along", async () => {
  const { url, bot } = await gatewayBefore(ECHO, { token: new Secret('all') });
  const headers = { authorization: 'Bearer all' };
  const through = await fetch(`${url}/bots/b/a/b?x=1&x=2`, { headers });
  const direct = await bot.get('/a/b?x=1&x=2');
  expect([through.status, await through.text()]).toEqual([direct.status, direct.text]);
  const posted = await fetch(`${url}/bots/b/p`, { method: 'POST', body: '{"k":true}', headers });
  expect(await posted.json()).toMatchObject({
    data: { pathname: '/p', params: { k: 'true' }, headers: ['host'] },
  });
  const refused = await fetch(`${url}/bots/b/no`, { headers });
  expect([refused.status, await refused.json()]).toEqual([404, { status: 'error', error: 'no such query' }]);
  expect((await fetch(`${url}/bots/b/x`, { method: 'PUT', headers })).status).toBe(405);
  expect((await (await fetch(`${url}/bots/b/big`, { headers })).text()).length).toBeGreaterThan(9e6);
  expect(await (await fetch(`${url}/bots/b/_runtime/healthz`, { headers })).json()).toMatchObject({
    status: 'ok',
  });
});

test('a token opens all bots, or its own; without one nothing but /health answers', async () => {
  const { url, post } = await gatewayBefore(ECHO, { token: new Secret('all') });
  const ask = async (authorization?: string) =>
    (await fetch(`${url}/bots/b/x`, authorization === undefined ? {} : { headers: { authorization } }))
      .status;
  expect(await ask()).toBe(401);
  expect(await ask('Bearer else')).toBe(401);
  expect(await ask('Bearer all')).toBe(200);
  expect(await ask(`Bearer ${makeBotToken(tokenKey, 'b')}`)).toBe(200);
  expect(await ask(`Bearer ${makeBotToken(tokenKey, 'mute')}`)).toBe(401);
  expect((await post({ bot_id: 'b', query_path: '/' })).status).toBe(401);
  expect((await post({ bot_id: 'b', query_path: '/' }, { authorization: 'Bearer all' })).status).toBe(200);
  expect((await fetch(`${url}/health`)).status).toBe(200);
});

test('too many at once are told to come again, and a client that goes away makes room', async () => {
  const { url } = await gatewayBefore(ECHO, { limits: { perBot: 1 } });
  const slow = http.get(`${url}/bots/b/slow`).on('error', () => undefined);
  await expect.poll(async () => (await fetch(`${url}/bots/b/x`)).status).toBe(503);
  expect((await fetch(`${url}/bots/b/x`)).headers.get('retry-after')).toBe('1');
  slow.destroy();
  await expect.poll(async () => (await fetch(`${url}/bots/b/x`)).status).toBe(200);
});

test('events of a bot stream through as they happen', async () => {
  const { url, bot } = await gatewayBefore(ECHO);
  const request = http.get(`${url}/bots/b/_runtime/events`);
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  expect(response.headers['content-type']).toMatch(/^text\/event-stream/);
  let text = '';
  response.setEncoding('utf8').on('data', (piece) => {
    text += piece;
  });
  bot.events.append({ type: 'error', at: '2026-11-27T00:00:00.000Z', data: { message: 'now' } });
  await expect.poll(() => text).toContain('now');
  request.destroy();
});

test('while the source is away, answers say so', async () => {
  const { url, loseSource } = await gatewayBefore(ECHO);
  expect((await fetch(`${url}/bots/b/x`)).headers.get('warning')).toBeNull();
  loseSource();
  expect((await fetch(`${url}/bots/b/x`)).headers.get('warning')).toMatch(/source/);
});

test('before the source has answered for the first time a bot is not known, which is not the same as gone', async () => {
  const { url, post, forgetSource } = await gatewayBefore(ECHO);
  const statuses = async (name: string) => [
    (await post({ bot_id: name, query_path: '/x' })).status,
    (await fetch(`${url}/bots/${name}/x`)).status,
  ];
  expect(await statuses('nobody')).toEqual([404, 404]);
  forgetSource();
  expect(await statuses('nobody')).toEqual([503, 503]);
  expect(await statuses('broken')).toEqual([503, 503]);
  expect(await statuses('b')).toEqual([200, 200]);
});

test('streams take no place of a query', async () => {
  const { url } = await gatewayBefore(ECHO, { limits: { perBot: 1 } });
  const gone = new AbortController();
  const stream = await fetch(`${url}/bots/b/_runtime/events`, { signal: gone.signal });
  expect(stream.headers.get('content-type')).toMatch(/^text\/event-stream/);
  expect((await fetch(`${url}/bots/b/x`)).status).toBe(200);
  gone.abort();
});

/** Gets the head of an answer and reads nothing of its body until told. */
async function slowReader(url: string, init: http.RequestOptions = {}, body = '') {
  const request = http.request(url, init).on('error', () => undefined);
  onTestFinished(() => void request.destroy());
  request.end(body);
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  const ended = new Promise<{ readonly complete: boolean; readonly size: number }>((resolve) => {
    let size = 0;
    response.on('error', () => undefined).once('close', () => resolve({ complete: response.complete, size }));
    response.on('data', (piece: Buffer) => {
      size += piece.length;
    });
    response.pause();
  });
  return { ended, read: () => void response.resume() };
}

test.each([
  ['/bots/b/huge', {}, ''],
  ['/query', { method: 'POST' }, '{"bot_id":"b","query_path":"/huge"}'],
])('those who take long to read %s keep nobody else from asking', async (path, init, body) => {
  // Nobody has taken long yet, however slow this machine is.
  const clock = { ...systemClock, now: () => 0 };
  const { url } = await gatewayBefore(ECHO, { clock, limits: { perBot: 2 } });
  const readers = [];
  for (let i = 0; i < 4; i++) readers.push(await slowReader(`${url}${path}`, init, body));
  expect((await fetch(`${url}/bots/b/x`)).status).toBe(200);
  expect(await (await fetch(`${url}/metrics`)).text()).toContain('runtime_host_queries_in_flight 0');
  // The memory for what they have not taken has a limit, and small answers find room beside it.
  expect((await fetch(`${url}/bots/b/huge`)).status).toBe(503);
  expect((await fetch(`${url}/bots/b/x`)).status).toBe(200);
  for (const { read } of readers) read();
  for (const { ended } of readers)
    expect(await ended).toEqual({ complete: true, size: expect.toSatisfy((size) => size > 15e6) });
  expect((await fetch(`${url}/bots/b/huge`)).status).toBe(200);
});

test('who reads nothing for a minute is cut; who goes on before is not', async () => {
  const clock = fakeClock();
  const { url } = await gatewayBefore(ECHO, { clock });
  await expect.poll(() => clock.sleepers, { timeout: 20_000 }).toBe(1);
  const late = await slowReader(`${url}/bots/b/huge`);
  await expect.poll(() => clock.sleepers, { timeout: 20_000 }).toBe(2);
  await clock.advance(59_000);
  late.read();
  expect((await late.ended).complete).toBe(true);

  const stuck = await slowReader(`${url}/bots/b/huge`);
  await expect.poll(() => clock.sleepers, { timeout: 20_000 }).toBe(2);
  // What the kernel takes for it counts as read, so its minute may begin anew once or twice.
  const isCut = async () => {
    await clock.advance(60_000);
    return clock.sleepers === 1;
  };
  await expect.poll(isCut, { timeout: 20_000 }).toBe(true);
  stuck.read();
  expect((await stuck.ended).complete).toBe(false);
});
