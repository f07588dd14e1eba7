import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { Secret } from '../../../src/base/secret.ts';
import { temporaryDirectory } from '../../support/files/temporary.ts';
import { request, startTestServer } from '../../support/query/queryServer.ts';

/** Answers with the target that it was asked for. */
const ECHO = `
  require('http').createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ status: 'ok', data: { method: request.method, url: request.url, headers: request.headers } }));
  }).listen(process.env.THE0_QUERY_PORT);
`;
/** Writes these bytes to everybody who connects and asks, then closes. */
const raw = (bytes: string) => `
  require('net').createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end(${JSON.stringify(bytes)}));
  }).listen(process.env.THE0_QUERY_PORT);
`;

test('sends a query on as a GET with every parameter in the query string', async () => {
  await using server = await startTestServer({ program: ECHO });
  await server.untilReady();
  const get = await server.get('/a//b/%2e%2e/c?x=1&y=a%20b', {
    authorization: 'Bearer of-nobody',
    cookie: 'c=1',
  });
  expect(get.status).toBe(200);
  const { data } = get.json() as { data: { method: string; url: string; headers: object } };
  expect(data.url).toBe('/a//b/%2e%2e/c?x=1&y=a%20b');
  expect(Object.keys(data.headers).sort()).toEqual(['host']);
  const post = await server.post(
    '/p?x=1&z=%26',
    JSON.stringify({ x: 'ü &', n: 3, deep: { a: [null] }, no: null }),
  );
  const { url, method } = (post.json() as { data: { url: string; method: string } }).data;
  expect(method).toBe('GET');
  expect(url).toBe('/p?z=%26&x=%C3%BC%20%26&n=3&deep=%7B%22a%22%3A%5Bnull%5D%7D&no=null');
});

test('listens on IPv6 and IPv4', async () => {
  await using server = await startTestServer({ program: ECHO });
  expect((await fetch(`http://[::1]:${server.port}/_runtime/healthz`)).status).toBe(200);
  expect((await fetch(`http://127.0.0.1:${server.port}/_runtime/healthz`)).status).toBe(200);
});

test('a program that only has an IPv6 address is asked there', async () => {
  const program = ECHO.replace('THE0_QUERY_PORT)', "THE0_QUERY_PORT, '::1')");
  await using server = await startTestServer({ program });
  await server.untilReady();
  const answer = await fetch(`http://[::1]:${server.port}/x?n=1`);
  expect(await answer.json()).toMatchObject({ status: 'ok', data: { url: '/x?n=1' } });
});

test('refuses what is neither GET nor POST, also HEAD and OPTIONS', async () => {
  await using server = await startTestServer({ program: ECHO });
  for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'CONNECT']) {
    const reply = await fetchRaw(
      server.port,
      `${method} /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`,
    );
    expect(reply, method).toMatch(/^HTTP\/1.1 405 /);
    expect(reply, method).toContain('"status":"error"');
  }
  expect((await request(server.port, 'HEAD', '/x')).status).toBe(405);
});

test('refuses what is too large, and tells the client', async () => {
  await using server = await startTestServer({ program: ECHO });
  await server.untilReady();
  const large = JSON.stringify({ x: 'a'.repeat(1024 * 1024) });
  const declared = await server.post('/x', large, { 'content-length': String(large.length) });
  expect(declared.status).toBe(413);
  const chunked = await server.post('/x', large, { 'transfer-encoding': 'chunked' });
  expect(chunked.status).toBe(413);
  expect((await server.get(`/x?a=${'b'.repeat(9000)}`)).status).toBe(413);
  expect((await server.post('/x', JSON.stringify({ a: 'b'.repeat(9000) }))).status).toBe(413);
  expect((await server.get(`/x?a=${'b'.repeat(8190)}`)).status).toBe(200);
  expect((await server.get('/x', { long: 'b'.repeat(70_000) })).status).toBe(431);
});

test('refuses a body that is not a JSON object', async () => {
  await using server = await startTestServer({ program: ECHO });
  await server.untilReady();
  for (const body of ['[1]', '"x"', '{', 'null'])
    expect((await server.post('/x', body)).status, body).toBe(400);
  expect((await server.post('/x', '')).status).toBe(200);
});

test('passes answers on byte for byte with their status, and wraps everything else', async () => {
  const odd = '{ "status":"error",\t"error":"no \\u00fc", "more": 1.0 }';
  const server = (bytes: string) => startTestServer({ program: raw(bytes) });
  {
    await using one = await server(`HTTP/1.1 418 Teapot\r\nContent-Length: ${odd.length}\r\n\r\n${odd}`);
    await one.untilReady();
    const reply = await one.get('/');
    expect(reply.status).toBe(418);
    expect(reply.text).toBe(odd);
  }
  for (const [bytes, status] of [
    ['HTTP/1.0 200 OK\r\n\r\nhello', 502],
    ['HTTP/1.0 200 OK\r\n\r\n[1]', 502],
    ['HTTP/1.0 200 OK\r\n\r\n{"status":"ok","data":NaN}', 502],
    ['HTTP/1.0 404 Not Found\r\n\r\n<h1>no</h1>', 404],
    ['HTTP/1.1 204 No Content\r\n\r\n', 502],
    ['SSH-2.0-OpenSSH\n\n', 502],
    ['HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"status":"ok"}', 502],
    ['', 502],
  ] as const) {
    await using one = await server(bytes);
    await one.untilReady();
    const reply = await one.get('/');
    expect(reply.status, bytes).toBe(status);
    expect(reply.json(), bytes).toEqual({ status: 'error', error: expect.any(String) });
  }
});

test.each([
  ['HTTP/1.0 without a length', 'HTTP/1.0 200 OK\r\n\r\n{"status":"ok","data":1}'],
  ['bare LF', 'HTTP/1.1 200 OK\nContent-Length: 24\n\n{"status":"ok","data":1}'],
  ['no reason phrase', 'HTTP/1.1 200\r\n\r\n{"status":"ok","data":1}'],
  [
    'chunks',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{"status":"ok","\r\n8\r\ndata":1}\r\n0\r\n\r\n',
  ],
  ['100 Continue first', 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n{"status":"ok","data":1}'],
])('understands %s', async (_name, bytes) => {
  await using server = await startTestServer({ program: raw(bytes) });
  await server.untilReady();
  const reply = await server.get('/');
  expect(reply.text).toBe('{"status":"ok","data":1}');
  expect(reply.status).toBe(200);
});

test('times out, and the next query is answered', async () => {
  const program = `require('http').createServer((q, r) => {
    if (q.url !== '/never') r.end('{"status":"ok"}');
  }).listen(process.env.THE0_QUERY_PORT)`;
  // The next one has as long.
  await using server = await startTestServer({ program, config: { timeoutMs: 2000 } });
  await server.untilReady();
  const late = await server.get('/never');
  expect(late.status).toBe(504);
  expect(late.json().status).toBe('error');
  expect((await server.get('/now')).status).toBe(200);
});

test('takes only so many queries at once; half-sent ones and its own paths do not count', async () => {
  const program = `const waiting = []; require('http').createServer((q, r) => {
    if (q.url === '/wait') waiting.push(r);
    else r.end('{"status":"ok"}');
  }).listen(process.env.THE0_QUERY_PORT)`;
  await using server = await startTestServer({ program, config: { concurrency: 2, timeoutMs: 5000 } });
  await server.untilReady();
  const half = await Promise.all(
    [1, 2, 3].map(() => openRaw(server.port, 'POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n{')),
  );
  const waiting = [server.get('/wait'), server.get('/wait')];
  await server.until(async () => (await server.get('/x')).status === 503);
  const busy = await server.get('/x');
  expect(busy.headers['retry-after']).toBe('1');
  expect(busy.json().status).toBe('error');
  expect((await server.get('/_runtime/healthz')).status).toBe(200);
  expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([504, 504]);
  expect((await server.get('/x')).status).toBe(200);
  for (const socket of half) socket.destroy();
});

test('wants the token for everything but healthz', async () => {
  const token = new Secret('s3cret');
  await using server = await startTestServer({ program: ECHO, config: { token } });
  await server.untilReady();
  for (const path of [
    '/x',
    '/_runtime/readyz',
    '/_runtime/metrics',
    '/_runtime/info',
    '/_runtime/events',
    '/_runtime/healthz/../info',
  ]) {
    const reply = await server.get(path);
    expect(reply.status, path).toBe(401);
    expect(reply.json().status).toBe('error');
    expect((await server.get(path, { authorization: 'Bearer s3cre' })).status, path).toBe(401);
  }
  expect((await server.get('/_runtime/healthz')).status).toBe(200);
  expect((await server.get('/x', { authorization: 'bearer s3cret' })).status).toBe(200);
});

test('is ready when the bot runs and the program listens', async () => {
  let botRuns = false;
  await using server = await startTestServer({ program: ECHO, botRuns: () => botRuns });
  expect((await server.get('/_runtime/readyz')).status).toBe(503);
  botRuns = true;
  await server.untilReady();
});

test('a program that does not listen yet is waited for, with 502 meanwhile', async () => {
  const go = join(await temporaryDirectory(), 'go');
  const looks = `const looking = setInterval(() => { if (!require('fs').existsSync(process.env.GO)) return; clearInterval(looking); ${ECHO} }, 10)`;
  await using server = await startTestServer({ program: looks, env: { GO: go } });
  const early = await server.get('/x');
  expect(early.status).toBe(502);
  expect(early.json().status).toBe('error');
  await writeFile(go, '');
  await server.untilReady();
  expect((await server.get('/x')).status).toBe(200);
});

test('a program killed under load, again and again: every query has its own answer or 502', async () => {
  await using server = await startTestServer({ program: ECHO });
  await server.untilReady();
  const seen = new Set<number>();
  let asked = 0;
  let stop = false;
  const load = Array.from({ length: 8 }, async () => {
    while (!stop) {
      const target = `/x?n=${asked++}`;
      const reply = await server.get(target);
      seen.add(reply.status);
      const expected = reply.status === 200 ? { status: 'ok', data: { url: target } } : { status: 'error' };
      expect(reply.json()).toMatchObject(expected);
    }
  });
  for (let life = 0; life < 3; life += 1) {
    await server.untilReady();
    const pid = server.pid()!;
    const from = asked;
    await server.until(async () => asked > from + 50);
    process.kill(-pid, 'SIGKILL');
    await server.until(async () => server.pid() !== undefined && server.pid() !== pid);
  }
  await server.untilReady();
  stop = true;
  await Promise.all(load);
  expect([...seen].sort()).toEqual([200, 502]);
  expect((await server.get('/x')).status).toBe(200);
  const events = server.events.after(0).events.map(({ event }) => event.type);
  expect(events).toEqual(Array(3).fill('query.restarted'));
  expect((await server.get('/_runtime/metrics')).text).toContain('runtime_query_program_restarts_total 3\n');
});

test('a program that hangs is 504 for every query, then ended and started again', async () => {
  const program = `require('http').createServer((q, r) => {
    if (q.url === '/hang') for (;;);
    r.end('{"status":"ok"}');
  }).listen(process.env.THE0_QUERY_PORT)`;
  // Time-outs of 1 s, three of which are more than a minute.
  const clock = { ...systemClock, elapsed: () => 24 * performance.now() };
  await using server = await startTestServer({ program, config: { timeoutMs: 1000 }, clock });
  await server.untilReady();
  const pid = server.pid()!;
  const statuses: number[] = [(await server.get('/hang')).status];
  while (server.pid() === pid) statuses.push((await server.get('/x')).status);
  expect(statuses.slice(0, 3)).toEqual([504, 504, 504]);
  await server.untilReady();
  expect((await server.get('/x')).status).toBe(200);
  const [restarted, ...others] = server.events.after(0).events.map(({ event }) => event);
  expect(restarted).toMatchObject({
    type: 'query.restarted',
    data: { reason: expect.stringContaining('time-out') },
  });
  expect(others).toEqual([]);
});

test('a program that is ended before it listens is started again, and not run per query', async () => {
  await using server = await startTestServer({ program: `setTimeout(() => { ${ECHO} }, 400)` });
  await server.until(async () => server.pid() !== undefined);
  server.restartProgram('has new code');
  await server.untilReady();
  expect((await server.get('/x')).json()).toMatchObject({ data: { url: '/x' } });
  expect(server.events.after(0).events.map(({ event }) => event.data.reason)).toEqual(['has new code']);
});

test('a program that exits without having listened is run once per query, each with its own answer', async () => {
  const program = `
    const { QUERY_PATH, QUERY_PARAMS, QUERY_PARAM_n } = process.env;
    if (!QUERY_PATH) process.exit(0);
    const fs = require('fs');
    const answer = QUERY_PATH === '/bad' ? 'nothing' :
      JSON.stringify(QUERY_PATH === '/no' ? { status: 'error', error: 'no' } : { status: 'ok', data: { path: QUERY_PATH, params: JSON.parse(QUERY_PARAMS), n: QUERY_PARAM_n } });
    if (QUERY_PATH !== '/none') fs.writeFileSync('query/result.json', answer);
    if (QUERY_PATH === '/crash') process.abort();
  `;
  await using server = await startTestServer({ program });
  await server.untilReady();
  const replies = await Promise.all(
    [1, 2, 3, 4].map((n) => server.post(`/p${n}?q=s`, JSON.stringify({ n }))),
  );
  replies.forEach((reply, at) => {
    const n = at + 1;
    expect(reply.json()).toEqual({
      status: 'ok',
      data: { path: `/p${n}`, params: { q: 's', n }, n: String(n) },
    });
  });
  for (const path of ['/no', '/bad', '/none', '/crash']) {
    const reply = await server.get(path);
    expect(reply.status, path).toBe(500);
    expect(reply.json().status, path).toBe('error');
  }
});

test('odd targets do not confuse it', async () => {
  await using server = await startTestServer({ program: ECHO });
  await server.untilReady();
  const ask = async (target: string) =>
    fetchRaw(server.port, `GET ${target} HTTP/1.1\r\nConnection: close\r\n\r\n`);
  expect(await ask('http://elsewhere/p?x=1')).toContain('"url":"/p?x=1"');
  expect(await ask('http://elsewhere')).toContain('"url":"/"');
  expect(await ask('*')).toMatch(/^HTTP\/1.1 400 .*"status":"error"/s);
  expect(await ask('/a#b')).toContain('"url":"/a"');
  expect(await ask('//_runtime/info')).toContain('"url":"//_runtime/info"');
  expect(await ask('/_runtime/nothing')).toMatch(/^HTTP\/1.1 404 .*"status":"error"/s);
  expect(await fetchRaw(server.port, 'nonsense\r\n\r\n')).toMatch(/^HTTP\/1.1 400 .*"status":"error"/s);
});

test('a client that has closed its sending side still gets the answer', async () => {
  const program = `require('http').createServer((q, r) => setTimeout(() => r.end('{"status":"ok"}'), 100)).listen(process.env.THE0_QUERY_PORT)`;
  await using server = await startTestServer({ program });
  await server.untilReady();
  const socket = await openRaw(server.port, 'GET /x HTTP/1.1\r\nHost: h\r\n\r\n');
  socket.end();
  expect(await readAll(socket)).toContain('{"status":"ok"}');
});

test('who is refused and goes on sending leaves no connection behind', async () => {
  await using server = await startTestServer({ program: ECHO });
  await server.untilReady();
  const files = async () => (await readdir('/proc/self/fd')).length;
  const before = await files();
  for (const start of ['CONNECT h:1 HTTP/1.1', 'nonsense']) {
    const socket = await openRaw(server.port, `${start}\r\n\r\n${'x'.repeat(200_000)}`);
    expect(await readAll(socket)).toMatch(/^HTTP\/1.1 40[05] .*"status":"error"/s);
  }
  await expect.poll(files).toBeLessThanOrEqual(before);
});

test('slow clients do not slow a fast one', async () => {
  await using server = await startTestServer({ program: ECHO });
  await server.untilReady();
  const slow = await Promise.all(
    Array.from({ length: 64 }, () => openRaw(server.port, 'POST /x HTTP/1.1\r\nHost: h\r\n')),
  );
  for (let n = 0; n < 20; n += 1) {
    expect((await server.get('/x')).status).toBe(200);
    for (const socket of slow) socket.write(`X-${n}: y\r\n`);
  }
  for (const socket of slow) socket.destroy();
});

test('tells metrics with a help text each, and facts', async () => {
  await using server = await startTestServer({ program: ECHO });
  await server.untilReady();
  await server.get('/x');
  const { text, headers } = await server.get('/_runtime/metrics');
  expect(headers['content-type']).toContain('text/plain; version=0.0.4');
  const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
  const helped = [...text.matchAll(/^# HELP (\S+) \S/gm)].map(([, name]) => name);
  expect(helped).toEqual(names);
  expect(names.every((name) => name?.startsWith('runtime_'))).toBe(true);
  expect(text).toContain('runtime_queries_total{outcome="ok"} 1\n');
  expect(text).toMatch(/^runtime_process_resident_memory_bytes\{process="program"\} \d+$/m);
  expect((await server.get('/_runtime/info')).json()).toMatchObject({ bot: 'b', generation: null });
});

import net from 'node:net';

async function openRaw(port: number, text: string): Promise<net.Socket> {
  const socket = net.connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.write(text, 'latin1', resolve));
  return socket;
}

async function readAll(socket: net.Socket): Promise<string> {
  let text = '';
  for await (const piece of socket) text += String(piece);
  return text;
}

async function fetchRaw(port: number, text: string): Promise<string> {
  return readAll(await openRaw(port, text));
}
