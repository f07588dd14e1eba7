import { spawn } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { MongoClient } from 'mongodb';
import { expect, vi } from 'vitest';
import type { Pod } from '../../src/host/engine/kubernetes/pods/pod.ts';
import { resource } from '../../src/host/kubernetes/resource.ts';
import { packFolder } from '../../src/host/sources/packFolder.ts';
import { testServer } from '../support/host/server.ts';
import { kubeTest, theCluster } from '../support/kubernetes/kubeTest.ts';
import { testNamespace } from '../support/kubernetes/testNamespace.ts';
import { endChild } from '../support/process/endChild.ts';
import { minioClient } from '../support/store/minio.ts';

const root = join(import.meta.dirname, '../..');
const signal = () => AbortSignal.timeout(60_000);

/** Of the API's documents and events. */
const custom = (type: string) => ({
  version: '1.0.0',
  filePath: 'watcher/1.0.0/code',
  config: { runtime: 'python3.11', type, entrypoints: { bot: 'main.py', query: 'query.py' } },
});
const config = { seconds: 1, alerts: [] };

kubeTest(
  'the0’s database and events in place of the custom resource: a bot comes, changes, is disabled, and one on a schedule runs',
  async () => {
    await using stack = new AsyncDisposableStack();
    const space = stack.use(await testNamespace());
    const [ferret, nats] = await Promise.all([testServer('ferretdb'), testServer('nats')]);
    stack.use(ferret);
    stack.use(nats);
    const { kubeconfig, image, store, minio } = theCluster();
    const client = minioClient(minio);
    await client.makeBucket(`code-${space.name}`);
    const { bytes } = await packFolder(join(root, 'examples/price-watcher'));
    await client.putObject(`code-${space.name}`, 'watcher/1.0.0/code', Buffer.from(bytes));

    const data = mkdtempSync(join(tmpdir(), 'controller-'));
    stack.defer(() => rmSync(data, { recursive: true, force: true }));
    const log = openSync(join(data, 'log'), 'a');
    const child = spawn(join(root, 'dist/runtime'), ['controller'], {
      stdio: ['ignore', log, log],
      env: {
        PATH: process.env.PATH,
        KUBECONFIG: kubeconfig,
        NAMESPACE: space.name,
        MONGO_URI: `mongodb://127.0.0.1:${ferret.port}`,
        NATS_URL: `nats://127.0.0.1:${nats.port}`,
        MINIO_ENDPOINT: minio.endpoint,
        MINIO_ACCESS_KEY: minio.accessKey,
        MINIO_SECRET_KEY: minio.secretKey,
        MINIO_CONTAINER_ENDPOINT: store.endpoint,
        MINIO_BUCKET: `code-${space.name}`,
        MINIO_STATE_BUCKET: `state-${space.name}`,
        MINIO_LOGS_BUCKET: `logs-${space.name}`,
        RUNTIME_IMAGE: image,
        RUNTIME_HOST_DATA: data,
        RUNTIME_HOST_SOCKET: join(data, 'host.sock'),
        RUNTIME_HOST_QUERY_PORT: '0',
        RUNTIME_HOST_HEALTH_PORT: '0',
      },
    });
    stack.defer(async () => void (await endChild(child, 'SIGKILL')));

    const database = new MongoClient(`mongodb://127.0.0.1:${ferret.port}`);
    stack.defer(() => database.close());
    const connection = await connect({ servers: `nats://127.0.0.1:${nats.port}` });
    stack.defer(() => connection.close());
    await (await jetstreamManager(connection)).streams.add({
      name: 'THE0_EVENTS',
      subjects: ['the0.bot.*', 'the0.bot-schedule.*'],
    });
    const tell = (subject: string, body: object) =>
      jetstream(connection).publish(subject, JSON.stringify(body));
    const pods = resource<Pod>(space.client, { api: 'v1', plural: 'pods', namespace: space.name });
    const pod = () => pods.get('rt-watcher', signal());
    const until = <T>(check: () => Promise<T>) =>
      vi.waitFor(check, { timeout: 100_000, interval: 500 }).catch((error: Error) => {
        throw new Error(`${error.message}\n${readFileSync(join(data, 'log'), 'utf8').slice(-4000)}`);
      });
    const runs = async () => expect((await pod())?.status?.phase).toBe('Running');

    await tell('the0.bot.created', { id: 'watcher', config, custom: custom('realtime') });
    await until(runs);
    const first = (await pod())?.metadata.uid;

    await tell('the0.bot-schedule.created', {
      id: 'timed',
      config: { ...config, schedule: '*/5 * * * * *' },
      custom: custom('scheduled'),
    });
    // Others read there when it runs next: told with the event, and after each claim.
    const schedules = database.db('bot_scheduler').collection('bot_schedules');
    const nextTime = async () => Number((await schedules.findOne({ id: 'timed' }))?.next_execution_time);
    await until(async () => expect(await nextTime()).toBeGreaterThan(0));
    const next = await nextTime();
    await until(async () => expect(await nextTime()).toBeGreaterThan(next + 5));
    expect((await nextTime()) % 5).toBe(0);

    await tell('the0.bot.updated', {
      id: 'watcher',
      config: { ...config, seconds: 2 },
      custom: custom('realtime'),
    });
    await until(async () => expect((await pod())?.metadata.uid).not.toBe(first));
    await until(runs);

    const bots = database.db('bot_runner').collection('bots');
    await bots.updateOne({ id: 'watcher' }, { $set: { 'config.enabled': false } });
    await until(async () => expect(await pod()).toBeUndefined());

    // Another replica would find the lease given back.
    expect(await endChild(child, 'SIGTERM')).toBe(0);
  },
  400_000,
);
