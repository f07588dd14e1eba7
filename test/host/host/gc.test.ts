import { Client } from 'minio';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { Secret } from '../../../src/base/secret.ts';
import type { Config } from '../../../src/bot/config/config.ts';
import { collectGarbage } from '../../../src/host/run/collectGarbage.ts';
import { type TestServer, testServer } from '../../support/host/server.ts';
import { testBucket } from '../../support/store/testBucket.ts';

/** On a real store and a real database: what bots have left goes, what is a bot's stays. */
describe('gc', { timeout: 120_000 }, () => {
  let ferret: TestServer;
  let database: MongoClient;
  let buckets: Config['buckets'];
  const { port, accessKey, secretKey, endpoint } = inject('minio');
  const client = new Client({ endPoint: '127.0.0.1', port, useSSL: false, accessKey, secretKey });
  const uri = () => `mongodb://127.0.0.1:${ferret.port}`;
  const living = ['alive', 'timed', ...Array.from({ length: 18 }, (_, i) => `living-${i}`)];

  beforeAll(async () => {
    ferret = await testServer('ferretdb');
    database = new MongoClient(uri());
  }, 600_000);
  afterAll(async () => {
    await database?.close();
    await ferret?.[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    buckets = {
      code: testBucket('code'),
      state: testBucket('state'),
      logs: testBucket('logs'),
      results: testBucket('results'),
    };
    await client.makeBucket(buckets.state);
    await client.makeBucket(buckets.logs);
    for (const bot of [...living, 'orphan']) await leave(bot);
    const [bots, schedules] = [
      database.db('bot_runner').collection('bots'),
      database.db('bot_scheduler').collection('bot_schedules'),
    ];
    await bots.deleteMany({});
    await schedules.deleteMany({});
    await bots.insertMany(living.filter((id) => id !== 'timed').map((id) => ({ id, enabled: false })));
    await schedules.insertOne({ id: 'timed' });
  });

  const leave = async (bot: string) => {
    for (const key of [`${bot}/head`, `${bot}/packs/1`]) await client.putObject(buckets.state, key, 'x');
    await client.putObject(buckets.logs, `logs/${bot}/20260101.log`, 'x');
  };

  async function keys(bucket: string): Promise<string[]> {
    const found: string[] = [];
    for await (const { name } of client.listObjectsV2(bucket, '', true)) found.push(name as string);
    return found.sort();
  }
  const all = async () => [...(await keys(buckets.state)), ...(await keys(buckets.logs))];
  const ofOrphan = (key: string) => key.includes('orphan');

  async function collect(more: { dryRun?: boolean; graceMs?: number } = {}): Promise<string[]> {
    const said: string[] = [];
    const store = {
      type: 's3' as const,
      endpoint,
      region: 'us-east-1',
      accessKey: new Secret(accessKey),
      secretKey: new Secret(secretKey),
      sessionToken: undefined,
    };
    const config = { store, buckets, startTimeoutMs: 1_000 } as unknown as Config;
    await collectGarbage(
      { config, uri: uri(), dryRun: false, graceMs: -60_000, ...more, say: (line) => said.push(line) },
      AbortSignal.timeout(60_000),
    );
    return said;
  }

  test('removes what an orphan has left, and nothing of the living, on or off', async () => {
    const before = await all();
    expect(await collect({ dryRun: true })).toEqual(['would remove 3 objects of orphan']);
    expect(await all()).toEqual(before);
    expect(await collect()).toEqual(['removing 3 objects of orphan']);
    expect(await all()).toEqual(before.filter((key) => !ofOrphan(key)));
    expect(await collect()).toEqual([]);
  });

  test('leaves what has been there for less than a week', async () => {
    const before = await all();
    expect(await collect({ graceMs: 7 * 24 * 3_600_000 })).toEqual([]);
    expect(await all()).toEqual(before);
  });

  test('refuses a database that is empty, or that lacks a tenth of the bots', async () => {
    const before = await all();
    for (const more of ['orphan-2', 'orphan-3']) await leave(more);
    await expect(collect()).rejects.toMatchObject({ code: 'refused' });
    await database.db('bot_runner').collection('bots').deleteMany({});
    await database.db('bot_scheduler').collection('bot_schedules').deleteMany({});
    await expect(collect()).rejects.toMatchObject({ code: 'refused' });
    expect((await all()).filter((key) => !/orphan-[23]/.test(key))).toEqual(before);
  });
});
