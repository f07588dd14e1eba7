import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../../src/base/clock.ts';
import { Secret } from '../../../../src/base/secret.ts';
import { assumeRole } from '../../../../src/host/credentials/assumeRole.ts';
import { botPolicy } from '../../../../src/host/credentials/botPolicy.ts';
import { allows } from '../../../../src/host/folderStore/allows.ts';
import { type FolderStore, openFolderStore } from '../../../../src/host/folderStore/openFolderStore.ts';
import type { ObjectStore } from '../../../../src/store/objectStore.ts';
import { openS3Store } from '../../../../src/store/s3/s3.ts';
import { collect } from '../../../support/collect.ts';
import { failureOf } from '../../../support/host/failureOf.ts';
import { memoryLog } from '../../../support/memoryLog.ts';

const buckets = { code: 'custom-bots', state: 'bot-state', logs: 'bot-logs', results: 'query-results' };

/** What the store promises as a store is in test/contract; here is who may do what. */
describe('a folder that containers reach', () => {
  const signal = AbortSignal.timeout(50_000);
  const path = mkdtempSync(join(tmpdir(), 'folder-store-'));
  let served: FolderStore;
  let now = Date.now();

  const keysFor = (bot: string, scope: 'bot' | 'query' = 'bot') =>
    assumeRole({
      store: served.config,
      policy: botPolicy({ bot, code: [`${bot}/code.zip`] }, buckets, scope),
      durationMs: 3_600_000,
      clock: systemClock,
      signal,
    });
  const open = (bucket: string, keys: Partial<FolderStore['config']> = {}): ObjectStore =>
    openS3Store({ ...served.config, bucket, createBucket: true, ...keys });

  test('where it cannot be made, it is a matter of configuration', async () => {
    const { log } = memoryLog();
    const options = { port: 0, servesAt: () => false, quotaOf: () => undefined, clock: systemClock, log };
    expect(await failureOf(openFolderStore({ ...options, path: '/proc/none' }))).toBe('config');
  });

  beforeAll(async () => {
    served = await openFolderStore({
      path,
      port: 0,
      servesAt: () => false,
      quotaOf: (bot) => (bot === 'greedy' ? 100_000 : undefined),
      clock: { ...systemClock, now: () => now },
      log: memoryLog().log,
    });
    for (const bucket of Object.values(buckets)) await open(bucket).put('someone/else', Buffer.from('x'));
    await open(buckets.code).put('mine/code.zip', Buffer.from('code'));
  });
  afterAll(async () => {
    await served.close();
    rmSync(path, { recursive: true });
  });

  test("a bot's keys open its own objects and no other's", async () => {
    const keys = await keysFor('mine');
    const state = open(buckets.state, keys);
    await state.put('mine/head', Buffer.from('{}'));
    expect((await collect(state.list('mine/'))).map(({ key }) => key)).toEqual(['mine/head']);
    expect((await open(buckets.code, keys).head('mine/code.zip')).size).toBe(4);
    const refused = [
      () => state.put('someone/else', Buffer.from('y')),
      () => state.head('someone/else'),
      () => state.delete('someone/else'),
      () => collect(state.list('someone/')),
      () => collect(state.list('')),
      () => state.copy('someone/else', 'mine/copy'),
      () => open(buckets.code, keys).put('mine/code.zip', Buffer.from('other')),
      () => open(buckets.code, keys).head('someone/else'),
      () => open('another-bucket', keys).put('mine/head', Buffer.from('')),
    ];
    for (const call of refused) expect(await failureOf(call()), call.toString()).toMatch(/denied|not-found/);
    expect(await failureOf(state.head('mine/copy'))).toBe('not-found');
  });

  test("a bot's own keys keep no more than it may; the host's own are not held to that", async () => {
    const state = open(buckets.state, await keysFor('greedy'));
    await state.put('greedy/one', Buffer.alloc(50_000));
    expect(await failureOf(state.put('greedy/two', Buffer.alloc(50_000)))).toBe('unavailable');
    expect(await failureOf(state.copy('greedy/one', 'greedy/copy'))).toBe('unavailable');
    await state.put('greedy/small', Buffer.alloc(1000));
    await open(buckets.state).put('greedy/two', Buffer.alloc(50_000));
  });

  test("a query's keys read the state and change nothing of it", async () => {
    const state = open(buckets.state, await keysFor('mine', 'query'));
    await open(buckets.state).put('mine/head', Buffer.from('{}'));
    expect((await state.head('mine/head')).size).toBe(2);
    expect(await failureOf(state.put('mine/head', Buffer.from('')))).toBe('denied');
  });

  test('keys that are not its own, not any more, or narrowed already open nothing', async () => {
    const keys = await keysFor('mine');
    const others = await keysFor('others');
    const state = (more: object) => failureOf(open(buckets.state, { ...keys, ...more }).head('mine/head'));
    await open(buckets.state).put('mine/head', Buffer.from('{}'));
    expect(await state({})).toBe('none');
    expect(await state({ secretKey: new Secret('0'.repeat(64)) })).toBe('denied');
    expect(await state({ sessionToken: others.sessionToken })).toBe('denied');
    expect(await state({ sessionToken: undefined })).toBe('denied');
    // What the token says is signed with it.
    const [text = '', mac = ''] = keys.sessionToken?.reveal().split('.') ?? [];
    const session = JSON.parse(Buffer.from(text, 'base64url').toString());
    const forged = Buffer.from(JSON.stringify({ ...session, policy: '{}' })).toString('base64url');
    expect(await state({ sessionToken: new Secret(`${forged}.${mac}`) })).toBe('denied');
    const again = assumeRole({
      store: { ...served.config, accessKey: keys.accessKey, secretKey: keys.secretKey },
      policy: '{}',
      durationMs: 1000,
      clock: systemClock,
      signal,
    });
    expect(await failureOf(again)).toBe('denied');
    now += 3_600_000;
    try {
      const late = open(buckets.state, { ...keys, ...{ clock: { ...systemClock, now: () => now } } });
      expect(await failureOf(late.head('mine/head'))).toBe('denied');
    } finally {
      now -= 3_600_000;
    }
  });

  test('an unsigned call gets nothing, and a path that leads out is no key', async () => {
    const { endpoint } = served.config;
    expect((await fetch(`${endpoint}/bot-state/mine/head`)).status).toBe(403);
    expect((await fetch(`${endpoint}/bot-state?list-type=2`)).status).toBe(403);
    const raw = await new Promise<string>((resolve) => {
      const socket = connect(Number(new URL(endpoint).port), '127.0.0.1');
      let text = '';
      socket.on('data', (chunk) => (text += chunk)).on('close', () => resolve(text));
      socket.end('GET /bot-state/../.secret-key HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    });
    expect(raw).toMatch(/^HTTP\/1.1 403/);
    for (const key of ['../.secret-key', 'a/../../.secret-key'])
      expect(await failureOf(open(buckets.state).head(key))).toBe('damaged');
  });
});

test('a policy with anything in it that is not understood allows nothing by that', () => {
  const allowed = { Effect: 'Allow', Action: ['s3:GetObject'], Resource: ['arn:aws:s3:::b/a/*'] };
  const may = (statement: object, key = 'a/1') =>
    allows(JSON.stringify({ Statement: [statement] }), { action: 's3:GetObject', bucket: 'b', key });
  expect(may(allowed)).toBe(true);
  expect(may(allowed, 'ab')).toBe(false);
  expect(may({ ...allowed, Resource: ['arn:aws:s3:::b/a.*'] })).toBe(false);
  expect(may({ ...allowed, Effect: 'Deny' })).toBe(false);
  expect(may({ ...allowed, NotResource: [] })).toBe(false);
  expect(may({ ...allowed, Condition: { IpAddress: { 'aws:SourceIp': ['10.0.0.0/8'] } } })).toBe(false);
  expect(allows('not JSON', { action: 's3:GetObject', bucket: 'b', key: 'a/1' })).toBe(false);
});
