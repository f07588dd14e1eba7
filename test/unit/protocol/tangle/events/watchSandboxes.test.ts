import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../../../src/base/clock.ts';
import type { NewSandbox } from '../../../../../src/host/sandboxes/sandboxes.ts';
import { openEventBus } from '../../../../../src/protocol/tangle/events/eventBus.ts';
import { parseEvents } from '../../../../../src/protocol/tangle/events/parseEvents.ts';
import { watchSandboxes } from '../../../../../src/protocol/tangle/events/watchSandboxes.ts';
import { collect } from '../../../../support/collect.ts';
import { temporaryDirectory } from '../../../../support/files/temporary.ts';
import { memoryLog } from '../../../../support/memoryLog.ts';
import { modelSandboxes } from '../../../../support/serve/modelSandboxes.ts';

/** A server in the place of the container's, which tells what the test says. */
async function container() {
  const asked: (string | undefined)[] = [];
  const open = new Set<ServerResponse>();
  const told: string[] = [];
  const server = createServer((request, response) => {
    const last = Number(request.headers['last-event-id'] ?? 0);
    asked.push(request.headers['last-event-id'] as string | undefined);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(': runtime events\n\n');
    for (const [at, text] of told.entries()) if (at + 1 > last) response.write(text);
    open.add(response);
    response.once('close', () => open.delete(response));
  });
  server.listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return {
    asked,
    tell: (type: string, data: object) => {
      const text = `id: ${told.length + 1}\nevent: ${type}\ndata: ${JSON.stringify({ type, at: '', data })}\n\n`;
      told.push(text);
      for (const response of open) response.write(text);
    },
    cut: () => server.closeAllConnections(),
    dial: async () => connect((server.address() as AddressInfo).port, '127.0.0.1'),
  };
}

test('what becomes of a sandbox and what is told inside is in its stream once, over restarts of the server', async () => {
  const inside = await container();
  const sandboxes = modelSandboxes(inside.dial);
  const folder = await temporaryDirectory();
  const life = () => {
    const ending = new AbortController();
    onTestFinished(() => ending.abort());
    const bus = openEventBus({ folder, instance: 'i', now: Date.now });
    const { log } = memoryLog();
    watchSandboxes({ sandboxes, bus, clock: systemClock, log, signal: ending.signal });
    const types = () =>
      bus
        .of('sandboxes', 'sb-1')
        .newest()
        .map(({ type }) => type);
    return { bus, types, end: () => ending.abort() };
  };
  const first = life();
  await sandboxes.create({ owner: 'a' } as NewSandbox);
  inside.tell('file.changed', { path: 'a.txt' });
  inside.tell('bot.started', {});
  inside.tell('snapshot.published', { sequence: 7, files: 1, bytes: 2, generation: 1 });
  const patience = { timeout: 20_000 };
  await expect.poll(first.types, patience).toContain('snapshot.created');
  const before = ['sandbox.running', 'file.changed', 'snapshot.created'];
  expect(first.types()).toEqual(before);
  inside.cut();
  inside.tell('file.changed', { path: 'b.txt' });
  await expect.poll(first.types, patience).toEqual([...before, 'file.changed']);
  first.end();
  inside.tell('error', { message: 'not saved' });
  const second = life();
  await expect.poll(second.types, patience).toEqual([...before, 'file.changed', 'warning']);
  expect(inside.asked.at(-1)).toBe('4');
  const events = second.bus.of('sandboxes', 'sb-1').newest();
  expect(events[2]?.data).toMatchObject({ snapshotId: 'sb-1@7', sequence: 7, files: 1, bytes: 2 });
  sandboxes.set('sb-1', { status: 'stopped', cause: 'idle' });
  expect(second.bus.of('sandboxes', 'sb-1').newest().at(-1)).toMatchObject({
    type: 'sandbox.stopped',
    data: { previous: 'running', cause: 'idle' },
  });
  // Whoever is deleted while no server is there leaves nothing.
  second.end();
  await sandboxes.remove('sb-1', 'user');
  expect(life().bus.names('sandboxes')).toEqual([]);
});

test('events are read however they are cut, and none without an end', async () => {
  const text =
    ': hello\n\nid: 1\nevent: a\ndata: {"text":"ä"}\n\nevent: b\ndata: {}\n\n: alive\n\nid: 2\nevent: c\ndata: {"n":1}\n\n';
  const bytes = Buffer.from(text);
  const pieces = (size: number) =>
    (async function* () {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    })();
  const expected = [
    { id: 1, type: 'a', data: { text: 'ä' } },
    { id: undefined, type: 'b', data: {} },
    { id: 2, type: 'c', data: { n: 1 } },
  ];
  for (const size of [1, 2, 3, 7, 1000])
    expect(await collect(parseEvents(pieces(size), 1000))).toEqual(expected);
  await expect(collect(parseEvents(pieces(10), 30))).rejects.toThrow('without an end');
});
