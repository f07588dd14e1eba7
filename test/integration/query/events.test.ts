import { once } from 'node:events';
import http from 'node:http';
import { expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../../support/query/queryServer.ts';

const QUIET = `require('http').createServer((q, r) => r.end('{"status":"ok"}')).listen(process.env.THE0_QUERY_PORT)`;

function happen(server: TestServer, from: number, to: number): void {
  for (let n = from; n <= to; n += 1) {
    server.events.append({ type: 'file.changed', at: new Date(0).toISOString(), data: { n } });
  }
}

async function open(server: TestServer, lastId?: string): Promise<http.IncomingMessage> {
  const headers = lastId === undefined ? {} : { 'last-event-id': lastId };
  const request = http.get({
    host: '127.0.0.1',
    port: server.port,
    path: '/_runtime/events',
    headers,
    agent: false,
  });
  const [reply] = (await once(request, 'response')) as [http.IncomingMessage];
  reply.on('error', () => undefined);
  return reply.setEncoding('utf8');
}

/** Reads until an event with this number came; gives the numbers and the last id. */
async function readUntil(reply: http.IncomingMessage, last: number) {
  const pieces: string[] = [];
  let tail = '';
  for await (const piece of reply.iterator({ destroyOnReturn: false })) {
    pieces.push(piece);
    tail = (tail + piece).slice(-100);
    if (tail.endsWith(`"n":${last}}}\n\n`)) break;
  }
  const text = pieces.join('');
  return {
    numbers: [...text.matchAll(/"n":(\d+)/g)].map(([, n]) => Number(n)),
    lastId: [...text.matchAll(/^id: (\d+)$/gm)].at(-1)?.[1],
    missed: [...text.matchAll(/^event: missed\ndata: \{"count":(\d+)\}$/gm)].reduce(
      (sum, [, count]) => sum + Number(count),
      0,
    ),
  };
}

test('a reader that reconnects has every event exactly once', async () => {
  await using server = await startTestServer({ program: QUIET });
  happen(server, 1, 3);
  const first = await open(server);
  happen(server, 4, 5);
  const before = await readUntil(first, 5);
  first.destroy();
  happen(server, 6, 8);
  const second = await open(server, before.lastId);
  const live = readUntil(second, 10);
  happen(server, 9, 10);
  const after = await live;
  second.destroy();
  expect([...before.numbers, ...after.numbers]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

test('a reader that stays away too long is told how many it missed', async () => {
  await using server = await startTestServer({ program: QUIET, eventCapacity: 5 });
  happen(server, 1, 1);
  const first = await open(server);
  const { lastId } = await readUntil(first, 1);
  first.destroy();
  happen(server, 2, 20);
  const second = await open(server, lastId);
  const { numbers, missed } = await readUntil(second, 20);
  second.destroy();
  expect(numbers).toEqual([16, 17, 18, 19, 20]);
  expect(missed).toBe(14);
});

test('a reader that reads nothing slows nobody, and is told what it missed when it reads again', async () => {
  await using server = await startTestServer({ program: QUIET, eventCapacity: 100 });
  const slow = await open(server);
  slow.pause();
  const fast = await open(server);
  const bulk = 'x'.repeat(10_000);
  const seen = readUntil(fast, 3000);
  for (let n = 1; n <= 3000; n += 1) {
    server.events.append({ type: 'file.changed', at: '', data: { bulk, n } });
    if (n % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  expect((await seen).numbers.at(-1)).toBe(3000);
  const late = await readUntil(slow, 3000);
  expect(late.missed).toBeGreaterThan(0);
  expect(late.numbers.length + late.missed).toBe(3000);
  fast.destroy();
  slow.destroy();
});
