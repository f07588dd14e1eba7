import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import type { KubeObject } from '../../src/host/kubernetes/objects.ts';
import { type Applied, resource } from '../../src/host/kubernetes/resource.ts';
import { collect } from '../support/collect.ts';
import { manifestsOfDocs } from '../support/docs/manifests.ts';
import { type Files, tarGz } from '../support/files/tarGz.ts';
import { temporaryDirectory } from '../support/files/temporary.ts';
import { kubeTest, theCluster } from '../support/kubernetes/kubeTest.ts';
import { type TestNamespace, testNamespace } from '../support/kubernetes/testNamespace.ts';
import { filesOf } from '../support/process/builtExample.ts';
import { minioClient } from '../support/store/minio.ts';

interface Pod extends KubeObject {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

interface Job extends KubeObject {
  readonly status?: { readonly succeeded?: number; readonly failed?: number };
}

interface CronJob extends KubeObject {
  readonly spec: { readonly jobTemplate: { readonly spec: object } };
}

// Pods are started by a kubelet on a machine that may be busy.
vi.setConfig({ testTimeout: 400_000 });
const signal = () => AbortSignal.timeout(180_000);
const counter = join(import.meta.dirname, '../../examples/python-counter');

/** The counter of its own runs, which then runs until it is stopped. */
const endless = `import time
from counter import main as count

def main(bot_id, config):
    count(bot_id, config)
    time.sleep(3600)
`;

/** A manifest of docs/recipes.md for this cluster: its image, its store, and names of this test's own. */
function recipe<T extends Applied>(kind: string, replaced: Readonly<Record<string, string>>): T {
  const { image, store } = theCluster();
  const found = manifestsOfDocs().find(
    ({ page, manifest }) => page === 'recipes.md' && manifest.kind === kind,
  );
  const own = {
    'runtime:universal': image,
    'minio:9000': `${new URL(store.endpoint).hostname}:${store.port}`,
    ...replaced,
  };
  let text = JSON.stringify(found!.manifest);
  for (const [from, to] of Object.entries(own)) text = text.replaceAll(from, to);
  return JSON.parse(text) as T;
}

/** What the recipe takes for granted: the bot's code in the store, and the Secret with the keys. */
async function given(space: TestNamespace, bot: string, more: Files = {}): Promise<void> {
  const { minio } = theCluster();
  const client = minioClient(minio);
  await client.makeBucket('custom-bots').catch(() => undefined);
  const files = await filesOf(counter);
  const code = await tarGz({ ...files, 'counter.py': files['main.py']!, ...more });
  await client.putObject('custom-bots', `${bot}/code.tar.gz`, code, code.length);
  const secrets = resource<KubeObject>(space.client, { api: 'v1', plural: 'secrets', namespace: space.name });
  const stringData = { MINIO_ACCESS_KEY: minio.accessKey, MINIO_SECRET_KEY: minio.secretKey };
  await secrets.create(
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: `${bot}-store` }, stringData },
    signal(),
  );
}

/** Polls; when it takes too long, says what the pods of the namespace are doing. */
async function until<T>(space: TestNamespace, look: () => Promise<T | undefined>): Promise<T> {
  const end = signal();
  while (!end.aborted) {
    const seen = await look();
    if (seen !== undefined) return seen;
    await systemClock.sleep(500);
  }
  const list = (plural: string) =>
    space.client.call<{ items: { status?: unknown; message?: string }[] }>({
      op: `${plural}.list`,
      subject: plural,
      method: 'GET',
      path: `/api/v1/namespaces/${space.name}/${plural}`,
      signal: signal(),
    });
  const [pods, events] = [await list('pods'), await list('events')];
  throw new Error(
    JSON.stringify(
      [pods.items.map(({ status }) => status), events.items.map(({ message }) => message)],
      null,
      1,
    ),
  );
}

/** The text of all of a bot's objects below a prefix of a bucket. */
async function saved(bucket: string, prefix: string): Promise<string> {
  const client = minioClient(theCluster().minio);
  const objects = await collect(client.listObjectsV2(bucket, prefix, true)).catch(() => []);
  let text = '';
  for (const { name } of objects) text += Buffer.concat(await collect(await client.getObject(bucket, name)));
  return text;
}

kubeTest(
  'the recipe of a realtime bot: ready, and again after its pod was deleted, with its state',
  async () => {
    await using space = await testNamespace();
    const bot = `realtime-${space.name}`;
    await given(space, bot, { 'main.py': endless });
    // No cluster for tests provides volumes by itself.
    const path = await temporaryDirectory();
    await chmod(path, 0o777);
    const volumes = resource<KubeObject>(space.client, {
      api: 'v1',
      plural: 'persistentvolumes',
      namespace: undefined,
    });
    await volumes.create(
      {
        apiVersion: 'v1',
        kind: 'PersistentVolume',
        metadata: { name: bot },
        spec: {
          accessModes: ['ReadWriteOnce'],
          capacity: { storage: '1Gi' },
          hostPath: { path, type: 'Directory' },
          claimRef: { namespace: space.name, name: `state-${bot}-0` },
        },
      },
      signal(),
    );
    const sets = resource<KubeObject>(space.client, {
      api: 'apps/v1',
      plural: 'statefulsets',
      namespace: space.name,
    });
    const pods = resource<Pod>(space.client, { api: 'v1', plural: 'pods', namespace: space.name });
    await sets.apply(recipe('StatefulSet', { 'my-bot': bot }), 'test', signal());
    const ready = async (not: string | undefined) =>
      await until(space, async () => {
        const pod = await pods.get(`${bot}-0`, signal());
        const { uid = '' } = pod?.metadata ?? {};
        const isReady = pod?.status?.conditions?.some(
          ({ type, status }) => type === 'Ready' && status === 'True',
        );
        return isReady && uid !== not ? uid : undefined;
      });
    const first = await ready(undefined);
    await until(space, async () =>
      (await saved('bot-state', `${bot}/head`)).includes('"generation":1') ? true : undefined,
    );
    await pods.remove(`${bot}-0`, {}, signal());
    await ready(first);
    await until(space, async () =>
      (await saved('bot-state', `${bot}/head`)).includes('"generation":2') ? true : undefined,
    );
    await sets.remove(bot, {}, signal());
    await volumes.remove(bot, {}, signal());
  },
);

kubeTest('the recipe of a scheduled bot: a second job goes on from the state of the first', async () => {
  await using space = await testNamespace();
  const bot = `scheduled-${space.name}`;
  await given(space, bot);
  const cronJobs = resource<CronJob>(space.client, {
    api: 'batch/v1',
    plural: 'cronjobs',
    namespace: space.name,
  });
  const jobs = resource<Job>(space.client, { api: 'batch/v1', plural: 'jobs', namespace: space.name });
  // The image of this cluster has Python alone.
  const manifest = recipe('CronJob', { 'nightly-report': bot, nodejs20: 'python3.11', 'main.js': 'main.py' });
  const { spec } = await cronJobs.apply(manifest, 'test', signal());
  for (const name of ['first', 'second']) {
    // As `kubectl create job --from=cronjob/…` does.
    await jobs.create(
      { apiVersion: 'batch/v1', kind: 'Job', metadata: { name }, spec: spec.jobTemplate.spec },
      signal(),
    );
    const { succeeded, failed } = await until(space, async () => {
      const { status = {} } = (await jobs.get(name, signal())) ?? {};
      return status.succeeded || status.failed ? status : undefined;
    });
    expect({ succeeded, failed }).toEqual({ succeeded: 1, failed: undefined });
  }
  const logs = await saved('bot-logs', `logs/${bot}/`);
  expect(logs).toContain(`${bot}: run number 1`);
  expect(logs).toContain(`${bot}: run number 2`);
});
