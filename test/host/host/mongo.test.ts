import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer } from 'node:net';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import type { Listing } from '../../../src/host/sources/source.ts';
import { openMongoSource } from '../../../src/host/sources/the0/mongo.ts';
import { type TestServer, testServer } from '../../support/host/server.ts';
import { memoryLog } from '../../support/memoryLog.ts';

const custom = (type: string) => ({
  version: '1.0.0',
  filePath: 'sma/1.0.0/code.zip',
  config: { name: 'sma', runtime: 'python3.11', type, entrypoints: { bot: 'main.py' } },
});

describe("the0's database and its API's events", { timeout: 600_000 }, () => {
  let ferret: TestServer;
  let nats: TestServer;
  let client: MongoClient;
  let listings: Listing[];
  let failures: unknown[];
  let lines: readonly string[];
  let stop: AbortController;
  let running: Promise<void> | undefined;

  beforeAll(async () => {
    [ferret, nats] = await Promise.all([testServer('ferretdb'), testServer('nats')]);
    client = new MongoClient(`mongodb://127.0.0.1:${ferret.port}`);
  }, 600_000);
  afterAll(async () => {
    await client.close();
    await ferret[Symbol.asyncDispose]();
    await nats[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    [listings, failures, stop] = [[], [], new AbortController()];
    await client.db('bot_runner').collection('bots').deleteMany({});
    await client.db('bot_scheduler').collection('bot_schedules').deleteMany({});
  });
  afterEach(async () => {
    stop.abort();
    await running;
  });

  const until = (check: () => void) => vi.waitFor(check, { timeout: 180_000, interval: 50 });
  const names = () => [...(listings.at(-1)?.keys() ?? [])].sort();

  function open(options: { nats?: number; everyMs?: number } = {}) {
    const { log, lines: said } = memoryLog();
    lines = said;
    const source = openMongoSource({
      uri: `mongodb://127.0.0.1:${ferret.port}`,
      natsUrl: options.nats ? `nats://127.0.0.1:${options.nats}` : undefined,
      defaults: { memoryMiB: 512, cpuShares: 512 },
      everyMs: options.everyMs ?? 300,
      clock: systemClock,
      log,
    });
    stop = new AbortController();
    running = source.run(
      { listed: (listing) => listings.push(listing), failed: (error) => failures.push(error) },
      stop.signal,
    );
    return source;
  }

  test('both collections are listed, document by document', async () => {
    const bots = client.db('bot_runner').collection('bots');
    await bots.insertOne({ id: 'a', config: {}, custom: custom('realtime') });
    await bots.insertOne({ id: 'bad', config: 'text', custom: 7 });
    await bots.insertOne({ nobody: true });
    await client
      .db('bot_scheduler')
      .collection('bot_schedules')
      .insertOne({
        id: 's',
        config: { schedule: '0 9 * * *' },
        custom: custom('scheduled'),
        next_execution_time: 1,
      });
    const source = open();
    await until(() => expect(names()).toEqual(['a', 'bad', 's']));
    expect(listings.at(-1)!.get('bad')).toHaveProperty('problems');
    const before = listings.at(-1)!.get('a');
    await source.writer!.enable('a', false);
    await until(() => expect(listings.at(-1)!.get('a')).toMatchObject({ spec: { enabled: false } }));
    expect(listings.at(-1)!.get('s')).toBe(listings.at(-2)!.get('s'));
    expect(listings.at(-1)!.get('a')).not.toBe(before);
  });

  test('what is written while the collections are read is read as well', async () => {
    const bots = client.db('bot_runner').collection('bots');
    for (const id of ['a', 'b']) await bots.insertOne({ id, config: {}, custom: custom('realtime') });
    // Nothing is read for its time alone.
    const { writer } = open({ everyMs: 3_600_000 });
    await until(() => expect(names()).toEqual(['a', 'b']));
    for (let round = 0; round < 40; round += 1) {
      const enabled = round % 2 === 1;
      // The second comes while the first has it read.
      for (const id of ['a', 'b']) await writer!.enable(id, enabled);
      await until(() => {
        for (const id of ['a', 'b']) expect(listings.at(-1)!.get(id)).toMatchObject({ spec: { enabled } });
      });
    }
  });

  test('the next times of schedules are kept for others to read, and wake nobody', async () => {
    const schedules = client.db('bot_scheduler').collection('bot_schedules');
    for (const id of ['s', 't'])
      await schedules.insertOne({ id, config: { schedule: '0 9 * * *' }, custom: custom('scheduled') });
    const source = open();
    await until(() => expect(names()).toEqual(['s', 't']));
    const before = listings.at(-1)!.get('s');
    await source.noteNextTimes!(
      new Map([
        ['s', 1_700_000_001_999],
        ['nobody', 1],
      ]),
    );
    expect((await schedules.findOne({ id: 's' }))?.next_execution_time).toBe(1_700_000_001);
    expect((await schedules.findOne({ id: 't' }))?.next_execution_time).toBeUndefined();
    expect(await schedules.countDocuments({})).toBe(2);
    const seen = listings.length;
    await until(() => expect(listings.length).toBeGreaterThan(seen + 1));
    expect(listings.at(-1)!.get('s')).toBe(before);
  });

  test('a database that is away is a failure, and not empty', async () => {
    await client
      .db('bot_runner')
      .collection('bots')
      .insertOne({ id: 'a', config: {}, custom: custom('realtime') });
    open();
    await until(() => expect(names()).toEqual(['a']));
    await ferret.kill();
    await until(() => expect(failures.length).toBeGreaterThan(0));
    expect(names()).toEqual(['a']);
    await ferret.start();
    const seen = listings.length;
    await until(() => expect(listings.length).toBeGreaterThan(seen));
    expect(names()).toEqual(['a']);
  });

  test('what the API tells is written and acted upon, also what it told while nobody listened', async () => {
    const connection = await connect({ servers: `nats://127.0.0.1:${nats.port}` });
    const manager = await jetstreamManager(connection);
    await manager.streams.add({ name: 'THE0_EVENTS', subjects: ['the0.bot.*', 'the0.bot-schedule.*'] });
    const tell = (subject: string, body: object) =>
      jetstream(connection).publish(subject, JSON.stringify(body));
    try {
      // Nothing is listed for its time alone while this lasts.
      open({ nats: nats.port, everyMs: 3_600_000 });
      await until(() => expect(listings.length).toBeGreaterThan(0));
      await tell('the0.bot.created', { id: 'a', config: { v: 1 }, custom: custom('realtime') });
      await until(() => expect(names()).toEqual(['a']));
      await tell('the0.bot.created', { id: 'broken' });
      stop.abort();
      await running;

      // The durable consumer keeps these.
      await tell('the0.bot.updated', { id: 'a', config: { v: 2 }, custom: custom('realtime') });
      await tell('the0.bot-schedule.created', {
        id: 's',
        config: { schedule: '0 9 * * *' },
        custom: custom('scheduled'),
      });
      await tell('the0.bot.updated', { id: 'a', config: { v: 3 }, custom: custom('realtime') });
      open({ nats: nats.port, everyMs: 60_000 });
      await until(() => expect(names()).toEqual(['a', 's']));
      await until(() => expect(listings.at(-1)!.get('a')).toMatchObject({ spec: { config: '{"v":3}' } }));
      await tell('the0.bot.deleted', { id: 'a', config: {} });
      await until(() => expect(names()).toEqual(['s']));
    } finally {
      await manager.streams.delete('THE0_EVENTS');
      await connection.close();
    }
  });

  test('a stream of which nothing is heard in time is not taken for none', async () => {
    const connection = await connect({ servers: `nats://127.0.0.1:${nats.port}` });
    const manager = await jetstreamManager(connection);
    await manager.streams.add({ name: 'THE0_EVENTS', subjects: ['the0.bot.*', 'the0.bot-schedule.*'] });
    let swallowed = 0;
    const proxy = createServer((socket) => {
      const onward = createConnection(nats.port, '127.0.0.1');
      for (const end of [socket, onward]) end.on('error', () => undefined);
      onward.pipe(socket).on('close', () => onward.destroy());
      socket.on('data', (bytes) => {
        if (swallowed === 0 && bytes.includes('JS.API.STREAM.INFO')) swallowed += 1;
        else onward.write(bytes);
      });
    }).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    try {
      open({ nats: (proxy.address() as AddressInfo).port, everyMs: 3_600_000 });
      // The durable consumer keeps what is told from now on.
      await until(() => expect(lines.join('\n')).toMatch(/tried again/));
      const consumers = async () => (await manager.consumers.list('THE0_EVENTS').next()).length;
      await vi.waitFor(async () => expect(await consumers()).toBe(1), { timeout: 180_000, interval: 200 });
      expect(swallowed).toBe(1);
      expect(lines.join('\n')).not.toContain('has no stream');
    } finally {
      stop.abort();
      await running;
      proxy.close();
      await manager.streams.delete('THE0_EVENTS');
      await connection.close();
    }
  });

  test('without a stream it listens as the0 does', async () => {
    const connection = await connect({ servers: `nats://127.0.0.1:${nats.port}` });
    try {
      open({ nats: nats.port, everyMs: 60_000 });
      const body = JSON.stringify({ id: 'a', config: {}, custom: custom('realtime') });
      const again = setInterval(() => connection.publish('the0.bot.created', body), 200);
      await until(() => expect(names()).toEqual(['a'])).finally(() => clearInterval(again));
    } finally {
      await connection.close();
    }
  });
});
