import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { MongoClient } from 'mongodb';
import { describe, expect, test, vi } from 'vitest';
import { packFolder } from '../../../src/host/sources/packFolder.ts';
import { docker, universalImage } from '../../support/container/docker.ts';
import { ownName } from '../../support/host/ownName.ts';
import { testServer } from '../../support/host/server.ts';
import { removeHost } from '../../support/host/testDocker.ts';
import { endChild } from '../../support/process/endChild.ts';
import { freePort } from '../../support/process/freePort.ts';
import { startMinio } from '../../support/store/minio.ts';

const image = await universalImage();
const root = join(import.meta.dirname, '../../..');
const runtime = join(root, 'dist/runtime');

describe.skipIf(image.missing !== undefined)(
  "the0's commands on its database and events",
  { timeout: 300_000 },
  () => {
    test('a bot that the API tells of runs, is asked, changes and goes; a scheduled one runs beside it', async () => {
      await using stack = new AsyncDisposableStack();
      const [ferret, nats] = await Promise.all([testServer('ferretdb'), testServer('nats')]);
      stack.use(ferret);
      stack.use(nats);
      const minio = await startMinio({ address: '0.0.0.0', quiet: true });
      stack.defer(() => minio.stop());
      await minio.client.makeBucket('custom-bots');
      const [bot, timed] = [ownName('watcher'), ownName('timed')];
      const { bytes } = await packFolder(join(root, 'examples/price-watcher'));
      await minio.client.putObject('custom-bots', 'watcher/1.0.0/code', bytes);

      const data = mkdtempSync(join(tmpdir(), 'the0-'));
      stack.defer(() => rmSync(data, { recursive: true, force: true }));
      stack.defer(() => removeHost(readFileSync(join(data, 'host-id'), 'utf8').trim()));
      const port = await freePort();
      const env = {
        PATH: process.env.PATH,
        MONGO_URI: `mongodb://127.0.0.1:${ferret.port}`,
        NATS_URL: `nats://127.0.0.1:${nats.port}`,
        MINIO_ENDPOINT: minio.endpoint,
        MINIO_ACCESS_KEY: minio.accessKey,
        MINIO_SECRET_KEY: minio.secretKey,
        RUNTIME_IMAGE: image.tag,
        RUNTIME_HOST_DATA: data,
        RUNTIME_HOST_SOCKETS: data,
        QUERY_SERVER_PORT: String(port),
      };
      const log = openSync(join(data, 'log'), 'a');
      const services: ChildProcess[] = [];
      for (const command of ['bot-runner', 'bot-scheduler', 'query-server']) {
        const health = String(await freePort());
        const child = spawn(runtime, [command], {
          env: { ...env, RUNTIME_HOST_HEALTH_PORT: health },
          stdio: ['ignore', log, log],
        });
        services.push(child);
        stack.defer(async () => void (await endChild(child, 'SIGKILL')));
      }

      const database = new MongoClient(env.MONGO_URI);
      stack.defer(() => database.close());
      const connection = await connect({ servers: env.NATS_URL });
      stack.defer(() => connection.close());
      await (await jetstreamManager(connection)).streams.add({
        name: 'THE0_EVENTS',
        subjects: ['the0.bot.*', 'the0.bot-schedule.*'],
      });
      const tell = (subject: string, body: object) =>
        jetstream(connection).publish(subject, JSON.stringify(body));
      const custom = (type: string) => ({
        version: '1.0.0',
        filePath: 'watcher/1.0.0/code',
        config: { runtime: 'python3.11', type, entrypoints: { bot: 'main.py', query: 'query.py' } },
      });
      const config = { seconds: 1, alerts: [] };
      await tell('the0.bot.created', { id: bot, config, custom: custom('realtime') });

      const running = async () => (await docker('ps', '--format', '{{.Names}}')).split('\n');
      const until = (check: () => Promise<void>) =>
        vi.waitFor(check, { timeout: 90_000, interval: 500 }).catch((error: Error) => {
          const said = readFileSync(join(data, 'log'), 'utf8').slice(-4000);
          throw new Error(`${error.message}\n${said}`);
        });
      await until(async () => expect(await running()).toContain(`rt-${bot}`));

      const ask = async (body: object) => {
        const response = await fetch(`http://127.0.0.1:${port}/query`, {
          method: 'POST',
          body: JSON.stringify(body),
        });
        return { status: response.status, body: (await response.json()) as Record<string, unknown> };
      };
      await until(async () => {
        const answer = await ask({ bot_id: bot, query_path: '/status' });
        expect(answer).toMatchObject({ status: 200, body: { status: 'ok', data: { alerts: 0 } } });
        expect(answer.body.duration).toBeTypeOf('number');
      });
      expect((await ask({ bot_id: 'nobody', query_path: '/status' })).status).toBe(404);

      await tell('the0.bot-schedule.created', {
        id: timed,
        config: { ...config, schedule: '*/5 * * * * *' },
        custom: custom('scheduled'),
      });
      await until(async () =>
        expect((await running()).some((name) => name.endsWith(`-${timed}`))).toBe(true),
      );

      // Others read there when it runs next: told with the event, and after each claim.
      const schedules = database.db('bot_scheduler').collection('bot_schedules');
      const nextTime = async () => Number((await schedules.findOne({ id: timed }))?.next_execution_time);
      await until(async () => expect(await nextTime()).not.toBeNaN());
      const first = await nextTime();
      await until(async () => expect(await nextTime()).toBeGreaterThan(first + 5));
      expect((await nextTime()) % 5).toBe(0);

      const before = await docker('inspect', '-f', '{{.Id}}', `rt-${bot}`);
      await tell('the0.bot.updated', {
        id: bot,
        config: { ...config, seconds: 2 },
        custom: custom('realtime'),
      });
      await until(async () => expect(await docker('inspect', '-f', '{{.Id}}', `rt-${bot}`)).not.toBe(before));
      await until(async () => expect(await running()).toContain(`rt-${bot}`));

      // A service that ends stops nothing.
      expect(await endChild(services[0], 'SIGTERM')).toBe(0);
      expect(await running()).toContain(`rt-${bot}`);
    });
  },
);
