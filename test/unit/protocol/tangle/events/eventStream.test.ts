import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../../../src/base/clock.ts';
import { cursorOf } from '../../../../../src/protocol/tangle/events/cursorOf.ts';
import { type LogLimits, openEventLog } from '../../../../../src/protocol/tangle/events/eventLog.ts';
import { streamEvents } from '../../../../../src/protocol/tangle/events/streamEvents.ts';
import { temporaryDirectory } from '../../../../support/files/temporary.ts';
import { readEvents } from '../../../../support/serve/eventReader.ts';

/** A server of one stream. */
async function serve(limits?: LogLimits) {
  const folder = await temporaryDirectory();
  const log = openEventLog(folder, Date.now, limits);
  const ending = new AbortController();
  const responses: http.ServerResponse[] = [];
  const server = http.createServer((request, response) => {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    responses.push(response);
    const query = new URL(request.url ?? '/', 'http://x').searchParams;
    void streamEvents(response, {
      log,
      cursor: cursorOf(query, request) ?? log.lastId,
      init: { streamId: 's' },
      clock: systemClock,
      signal: AbortSignal.any([gone.signal, ending.signal]),
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    ending.abort();
    server.close();
    server.closeAllConnections();
  });
  return { log, folder, responses, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at);
const tick = (n: number, filler = '') => ({ type: 'tick', data: { n, filler } });

test('a stream that is cut 20 times gives every event once, in order', async () => {
  const { log, url } = await serve({ segmentBytes: 50_000, segments: 1000, ringBytes: 5_000 });
  const last = 4000;
  const writing = (async () => {
    for (let n = 1; n <= last; n += 1) {
      log.append([tick(n, 'x'.repeat(200))]);
      if (n % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  const seen: number[] = [];
  for (let cut = 1; cut <= 20; cut += 1) {
    const stream = await readEvents(url, { 'last-event-id': String(seen.at(-1) ?? 0) });
    const until = (last / 21) * cut;
    await stream.until(({ id }) => id !== undefined && id >= until);
    stream.cut();
    seen.push(...stream.ids);
  }
  await writing;
  const rest = await readEvents(`${url}?lastEventId=${seen.at(-1)}`);
  await rest.until(({ id }) => id === last);
  expect([...seen, ...rest.ids]).toEqual(range(1, last));
});

test('a reader of 20 MB that stands still gets all of it later, holds little here, and slows nobody', async () => {
  const { log, url, responses } = await serve();
  const slow = await readEvents(url, { 'last-event-id': '0' });
  await slow.until(({ type }) => type === 'connection.init');
  slow.response.pause();
  const fast = await Promise.all(range(1, 3).map(() => readEvents(`${url}?since=0`)));
  const last = 2500;
  let most = 0;
  for (let n = 1; n <= last; n += 1) {
    log.append([tick(n, 'x'.repeat(8000))]);
    most = Math.max(most, responses[0]!.writableLength);
    if (n % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  for (const stream of fast) await stream.until(({ id }) => id === last);
  for (const stream of fast) expect(stream.ids).toEqual(range(1, last));
  // It has not got it all yet, and what it has not got is on the disk.
  expect(slow.ids.length).toBeLessThan(last);
  expect(most).toBeLessThan(300_000);
  slow.response.resume();
  await slow.until(({ id }) => id === last);
  expect(slow.ids).toEqual(range(1, last));
});

test('whoever comes back too late is told what it will never see, and goes on', async () => {
  const { log, url } = await serve({ segmentBytes: 2000, segments: 3, ringBytes: 500 });
  for (const n of range(1, 200)) log.append([tick(n, 'x'.repeat(100))]);
  const oldest = log.oldestId;
  expect(oldest).toBeGreaterThan(100);
  const stream = await readEvents(`${url}?lastEventId=7`);
  await stream.until(({ id }) => id === 200);
  const [init, gap, ...rest] = stream.events;
  expect(init).toMatchObject({
    type: 'connection.init',
    id: undefined,
    data: { streamId: 's', initialSeq: 7 },
  });
  expect(gap).toEqual({ id: oldest - 1, type: 'gap', data: { from: 8, to: oldest - 1, reason: 'evicted' } });
  expect(rest.map(({ id }) => id)).toEqual(range(oldest, 200));
  expect(rest[0]!.data).toMatchObject({ n: oldest, timestamp: expect.any(Number) });
});

test('a number that the stream has not had yet is told, and everything is sent', async () => {
  const { log, url } = await serve();
  for (const n of range(1, 3)) log.append([tick(n)]);
  const stream = await readEvents(url, { 'last-event-id': '4711' });
  await stream.until(({ id }) => id === 3);
  expect(stream.events[1]).toMatchObject({
    type: 'gap',
    data: { from: 4711, to: null, reason: 'unknown-cursor' },
  });
  expect(stream.ids).toEqual([1, 2, 3]);
});

test('without a number a stream begins now; one that is none is refused', async () => {
  const { log, url } = await serve();
  log.append([tick(1)]);
  const stream = await readEvents(url);
  await stream.until(({ type }) => type === 'connection.init');
  log.append([tick(2), tick(3)]);
  await stream.until(({ id }) => id === 3);
  expect(stream.ids).toEqual([2, 3]);
  const query = (text: string) => new URLSearchParams(text);
  expect(cursorOf(query('since=0'), { headers: {} })).toBe(0);
  expect(cursorOf(query('since=1'), { headers: { 'last-event-id': '9' } })).toBe(9);
  for (const wrong of ['since=-1', 'lastEventId=abc', 'since=1e3', `since=${'9'.repeat(16)}`])
    expect(() => cursorOf(query(wrong), { headers: {} })).toThrow('expected the number of an event');
});
