import { mkdir, readdir, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { anonymousBytes } from '../../support/process/anonymousBytes.ts';
import { newContainer, startRuntime } from '../../support/process/executable.ts';
import { freePort } from '../../support/process/freePort.ts';
import { request } from '../../support/query/queryServer.ts';
import { scaled } from '../../support/scale.ts';

/** 10,000 for a release (`RUNTIME_TEST_SCALE=20`). */
const REQUESTS = scaled(500);

const piece = fc.constantFrom(
  'GET',
  'POST',
  'HEAD',
  'CONNECT',
  'PRI',
  ' ',
  '  ',
  '/',
  '*',
  '//',
  '/%00',
  '/_runtime/',
  '/_runtime/events',
  'events',
  '?',
  'a=1&',
  '#',
  '\xff',
  'http://x',
  ' HTTP/1.1',
  ' HTTP/1.0',
  ' HTTP/2.0',
  '\r\n',
  '\n',
  '\r',
  '\r\n\r\n',
  ':',
  'Host: h',
  'Content-Length: 5',
  'Content-Length: -1',
  'Content-Length: 99999999999999',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: gzip',
  'Expect: 100-continue',
  'Expect: x',
  'Connection: upgrade\r\nUpgrade: h2c',
  '5\r\nhello\r\n',
  '0\r\n\r\n',
  '{"a":1}',
  '{"__proto__":1}',
  '\0',
  'x'.repeat(5000),
  'x'.repeat(70_000),
  '&a=b'.repeat(3000),
  '%',
  '%zz%u0041%c0%ae%e0%80%af',
  '%0d%0aX: y',
  ' http://[::1',
  'CONNECT h:1',
  'Content-Length: 0\r\nContent-Length: 30',
  'Content-Length: 5\r\nTransfer-Encoding: chunked',
  'Transfer-Encoding: chunked, identity',
  'Transfer-Encoding : chunked',
  'Transfer-Encoding:\vchunked',
  'Connection: keep-alive',
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x',
  'Expect: 100-continue\r\nContent-Length: 5',
  'fffffffffffffffff\r\n',
  '0;a=b\r\nX: y\r\n\r\n',
  'GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n',
  '{"a":1,"a":2}',
  '{"__proto__":{"toString":1},"constructor":{"prototype":1}}',
);

const bodies = fc.constantFrom(
  '{"a":1,"a":2}',
  '{"__proto__":{"toString":1},"constructor":{"prototype":1},"hasOwnProperty":1}',
  `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
  '{"a":'.repeat(100_000),
  `{"a":"${'\\u0000\\ud800'.repeat(500)}"}`,
  `{${Array.from({ length: 5000 }, (_, n) => `"${n}":0`).join()}}`,
  '{"a":1e999,"b":-0,"c":12345678901234567890}',
  '\xef\xbb\xbf{}',
);
const withBody = bodies.map(
  (body) => `POST /x?a=0&__proto__=1 HTTP/1.1\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
);
const pieces = fc.array(piece, { minLength: 1, maxLength: 25 }).map((all) => all.join(''));
const attempt = fc.record({
  text: fc.oneof({ weight: 9, arbitrary: pieces }, { weight: 1, arbitrary: withBody }),
  /** Where the bytes are cut in two, in per cent. */
  cut: fc.constantFrom(100, 100, 30, 80),
  /** Whether the client closes its side at once. */
  ends: fc.boolean(),
});
type Attempt = typeof attempt extends fc.Arbitrary<infer T> ? T : never;

/** Ends where it is asked what no query may be: then the server has let something through. */
const PROGRAM = `
const server = require('http').createServer((request, response) => {
  const { method, url, headers } = request;
  if (method !== 'GET' || /[^!-~]/.test(url) || Object.keys(headers).join() !== 'host') process.exit(1);
  response.end('{"status":"ok"}');
});
server.keepAliveTimeout = 100;
server.listen(process.env.THE0_QUERY_PORT);
`;

/** Sends and takes whatever comes, until the server has closed or had time to. */
async function send(port: number, { text, cut, ends }: Attempt): Promise<string> {
  const bytes = Buffer.from(text, 'latin1');
  const at = Math.ceil((bytes.length * cut) / 100);
  return new Promise((resolve) => {
    let reply = '';
    const socket = net.connect(port, '127.0.0.1', () => {
      socket.write(bytes.subarray(0, at), () => {
        if (at < bytes.length) socket.write(bytes.subarray(at));
        if (ends) socket.end();
      });
    });
    socket.setNoDelay();
    socket.on('data', (piece) => {
      reply += piece.toString('latin1');
      if (reply.includes('text/event-stream')) socket.destroy();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(reply));
    // Who waits for more of a request, or for the next one, does so for longer than we have.
    socket.setTimeout(ends ? 2000 : 150, () => socket.destroy());
  });
}

async function startServer() {
  const { env } = await newContainer();
  await mkdir(env.CODE_PATH!);
  await writeFile(join(env.CODE_PATH!, 'query.js'), PROGRAM);
  const port = await freePort();
  const server = startRuntime(['execute', '--query-server-only'], {
    ...env,
    BOT_ID: 'fuzzed',
    BOT_TYPE: 'realtime',
    RUNTIME: 'command',
    QUERY_ENTRYPOINT: `exec ${process.execPath} query.js`,
    QUERY_PORT: String(port),
  });
  // Not SIGKILL: it is to end its program as well.
  onTestFinished(async () => {
    server.child.kill('SIGTERM');
    await server.finished;
  });
  const ask = (path: string) => request(port, 'GET', path).catch(() => undefined);
  await expect.poll(async () => (await ask('/x'))?.status, { timeout: 20_000 }).toBe(200);
  const pid = server.child.pid!;
  return {
    port,
    ask,
    server,
    files: async () => (await readdir(`/proc/${pid}/fd`)).length,
    memory: () => anonymousBytes(pid),
  };
}

test('malformed requests are answered or cut off, and leave nothing behind', {
  timeout: 600_000,
}, async () => {
  const { port, ask, server, files, memory } = await startServer();
  const attempts = fc.sample(attempt, { numRuns: REQUESTS, seed: 9476 });
  const before = { files: await files(), memory: memory() };
  for (let at = 0; at < attempts.length; at += 32) {
    const replies = await Promise.all(attempts.slice(at, at + 32).map((each) => send(port, each)));
    for (const reply of replies) expect(reply).toMatch(/^($|HTTP\/1\.1 [1-5]\d\d )/);
  }
  expect((await ask('/x'))?.text).toBe('{"status":"ok"}');
  expect((await ask('/_runtime/metrics'))?.text).toContain('runtime_query_program_restarts_total 0\n');
  await expect.poll(files, { timeout: 20_000 }).toBeLessThanOrEqual(before.files);
  // Garbage comes and goes by tens of MiB; of thousands of requests the server gives it back once they have stopped, and a
  // leak of 4 KiB each would stay.
  const slack = (REQUESTS < 10_000 ? 112 : 48) * 1024 * 1024;
  await expect.poll(memory, { timeout: 30_000 }).toBeLessThan(before.memory + slack);
  expect(server.stderr()).not.toContain('"level":"error"');
});
