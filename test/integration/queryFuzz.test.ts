import net from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { anonymousBytes } from '../support/anonymousBytes.ts';
import { startTestServer } from '../support/queryServer.ts';

/** 10,000 for a release; fewer where everything runs at every change. */
const REQUESTS = Number(process.env.QUERY_FUZZ ?? 500);

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
);
const malformed = fc.array(piece, { minLength: 1, maxLength: 25 }).map((pieces) => pieces.join(''));

/** Sends and takes whatever comes, until the server has answered or had time to. */
async function send(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    let reply = '';
    const socket = net.connect(port, '127.0.0.1', () => socket.end(text, 'latin1'));
    socket.on('data', (bytes) => {
      reply += bytes.toString('latin1');
      if (reply.includes('text/event-stream')) socket.destroy();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(reply));
    socket.setTimeout(2000, () => socket.destroy());
  });
}

test('malformed requests are answered or cut off, and leave nothing behind', async () => {
  const program = `require('http').createServer((q, r) => r.end('{"status":"ok"}')).listen(process.env.THE0_QUERY_PORT)`;
  await using server = await startTestServer({ program });
  await server.untilReady();
  const requests = fc.sample(malformed, { numRuns: REQUESTS, seed: 9476 });
  const before = anonymousBytes(process.pid);
  for (let at = 0; at < requests.length; at += 32) {
    const replies = await Promise.all(requests.slice(at, at + 32).map((text) => send(server.port, text)));
    for (const reply of replies) expect(reply).toMatch(/^($|HTTP\/1\.1 [1-5]\d\d )/);
  }
  const reply = await server.get('/x');
  expect(reply.text).toBe('{"status":"ok"}');
  // A leak of a buffer per request would be far above this.
  expect(anonymousBytes(process.pid) - before).toBeLessThan(REQUESTS * 4096 + 64 * 1024 * 1024);
});
