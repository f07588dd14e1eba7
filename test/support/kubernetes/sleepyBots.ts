import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'minio';
import { packFolder } from '../../../src/host/sources/packFolder.ts';
import { FLEET_CODE, type Fleet, openFleet, startHost } from './fleet.ts';
import { theCluster } from './kubeTest.ts';
import { type TestNamespace, testNamespace } from './testNamespace.ts';
import { botsOf } from './withBots.ts';

export interface SleepyBots extends AsyncDisposable {
  readonly space: TestNamespace;
  readonly fleet: Fleet;
  /** A replica of the host; through another kubeconfig where that is given. It is killed in the end. */
  replica(kubeconfig?: string, more?: Readonly<Record<string, string>>): ReturnType<typeof startHost>;
}

/** A namespace of real pods whose bots do nothing, and the executable that looks after them. */
export async function sleepyBots(): Promise<SleepyBots> {
  const { kubeconfig, image, store, minio } = theCluster();
  const space = await testNamespace();
  const { hostname } = new URL(minio.endpoint);
  const client = new Client({
    endPoint: hostname,
    port: minio.port,
    useSSL: minio.endpoint.startsWith('https:'),
    accessKey: minio.accessKey,
    secretKey: minio.secretKey,
  });
  const bucket = `code-${space.name}`;
  const folder = mkdtempSync(join(tmpdir(), 'sleepy-'));
  writeFileSync(join(folder, 'main.py'), 'import time\nwhile True:\n    time.sleep(1)\n');
  const { bytes } = await packFolder(folder);
  await client.makeBucket(bucket);
  await client.putObject(bucket, FLEET_CODE, Buffer.from(bytes));
  rmSync(folder, { recursive: true, force: true });
  const bots = await botsOf(space.client, space.name);
  const fleet = await openFleet(space.client, space.name, bots);
  const replicas: ReturnType<typeof startHost>[] = [];
  return {
    space,
    fleet,
    replica: (through = kubeconfig, more = {}) => {
      const one = startHost({
        kubeconfig: through,
        namespace: space.name,
        store: minio,
        more: {
          MINIO_CONTAINER_ENDPOINT: store.endpoint,
          MINIO_CODE_BUCKET: bucket,
          MINIO_STATE_BUCKET: `state-${space.name}`,
          MINIO_LOGS_BUCKET: `logs-${space.name}`,
          RUNTIME_IMAGE: image,
          ...more,
        },
      });
      replicas.push(one);
      return one;
    },
    [Symbol.asyncDispose]: async () => {
      for (const one of replicas) {
        one.signal('SIGCONT');
        await one.end();
      }
      await fleet[Symbol.asyncDispose]();
      const { items } = await space.client.call<{ items: { metadata: { name: string } }[] }>({
        op: 'test',
        subject: 'bots',
        method: 'GET',
        path: bots.path,
        signal: AbortSignal.timeout(60_000),
      });
      for (const { metadata } of items)
        await bots.patch(metadata.name, { metadata: { finalizers: null } }, AbortSignal.timeout(60_000));
      await space[Symbol.asyncDispose]();
    },
  };
}
