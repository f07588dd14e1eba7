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
  let told: { readonly id: number; readonly text: string }[] = [];
  let next = 1;
  const server = createServer((request, response) => {
    const last = Number(request.headers['last-event-id'] ?? 0);
    asked.push(request.headers['last-event-id'] as string | undefined);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(': runtime events\n\n');
    // As the container's own: a number that it has not had may be of any life.
    if (last > 0 && last < (told[0]?.id ?? next) - 1)
      response.write('event: missed\ndata: {"count":null}\n\n');
    for (const { id, text } of told) if (id > last) response.write(text);
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
      const id = next++;
      const text = `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify({ type, at: '', data })}\n\n`;
      told.push({ id, text });
      for (const response of open) response.write(text);
    },
    cut: () => server.closeAllConnections(),
    /** It ends, and begins again later: its numbers are higher then. */
    restart: () => {
      server.closeAllConnections();
      told = [];
      next += 1000;
    },
    dial: async () => connect((server.address() as AddressInfo).port, '127.0.0.1'),
  };
}

test('what becomes of a sandbox and what is told inside is in its stream once, over restarts of the server', async () => {
  const inside = await container();
  const sandboxes = modelSandboxes(inside.dial);
  const folder = await temporaryDirectory();
  const disks = { snapshots: async () => [] };
  const life = () => {
    const ending = new AbortController();
    onTestFinished(() => ending.abort());
    const bus = openEventBus({ folder, instance: 'i', now: Date.now });
    const { log } = memoryLog();
    watchSandboxes({ sandboxes, disks, bus, clock: systemClock, log, signal: ending.signal });
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

test.each([
  ['nothing is missing', [] as string[], [] as string[]],
  ['its beginning is not kept any more', ['start'], ['gap']],
])(
  'a sandbox that is resumed tells of itself anew, and its last save is told by the store: %s',
  async (_, gone, gaps) => {
    const inside = await container();
    const sandboxes = modelSandboxes(inside.dial);
    const ending = new AbortController();
    onTestFinished(() => ending.abort());
    const bus = openEventBus({ folder: await temporaryDirectory(), instance: 'i', now: Date.now });
    const saved = (sequence: number) => ({ sequence, createdAt: '', files: 1, bytes: 2 });
    const disks = { snapshots: async () => [saved(7), saved(8)] };
    const { log } = memoryLog();
    watchSandboxes({ sandboxes, disks, bus, clock: systemClock, log, signal: ending.signal });
    const events = () => bus.of('sandboxes', 'sb-1').newest();
    const types = () => events().map(({ type }) => type);
    const patience = { timeout: 20_000 };
    await sandboxes.create({ owner: 'a' } as NewSandbox);
    inside.tell('start', {});
    inside.tell('snapshot.published', { sequence: 7, files: 1, bytes: 2 });
    await expect.poll(types, patience).toContain('snapshot.created');
    sandboxes.set('sb-1', { status: 'stopped' });
    inside.restart();
    const before = ['sandbox.running', 'snapshot.created', 'sandbox.stopped', 'snapshot.created'];
    await expect.poll(types, patience).toEqual(before);
    expect(events().at(-1)?.data).toMatchObject({ snapshotId: 'sb-1@8', sequence: 8, files: 1 });
    // The engine's time is later than that of the last event.
    const last = Date.now();
    await expect.poll(() => Date.now(), patience).toBeGreaterThan(last);
    for (const type of ['start', 'file.changed']) if (!gone.includes(type)) inside.tell(type, { path: 'a' });
    sandboxes.set('sb-1', { status: 'running', startedAt: Date.now() });
    await expect.poll(types, patience).toEqual([...before, 'sandbox.running', ...gaps, 'file.changed']);
    // Within this life it goes on with the number that it had.
    inside.cut();
    inside.tell('file.changed', { path: 'b' });
    await expect.poll(() => types().at(-1) && events().at(-1)?.data.path, patience).toBe('b');
    expect(types()).toEqual([...before, 'sandbox.running', ...gaps, 'file.changed', 'file.changed']);
  },
);

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
