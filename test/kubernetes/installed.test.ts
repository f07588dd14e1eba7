import { randomBytes } from 'node:crypto';
import { chmod } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { temporaryDirectory } from '../support/files/temporary.ts';
import { forwarded } from '../support/kubernetes/forwarded.ts';
import { type Installed, install, soon } from '../support/kubernetes/installed.ts';
import { probeBot, probeCode } from '../support/kubernetes/probeBot.ts';
import {
  startWholeCluster,
  type WholeCluster,
  whyNoWholeCluster,
} from '../support/kubernetes/wholeCluster.ts';
import { type Minio, minioClient, startMinio } from '../support/store/minio.ts';

const missing = await whyNoWholeCluster();
if (missing !== undefined) console.warn(`The chart is not installed: ${missing}`);

describe.skipIf(missing !== undefined)('the chart', { timeout: 600_000 }, () => {
  let cluster: WholeCluster;
  let outside: Minio;

  beforeAll(async () => {
    outside = await startMinio();
    cluster = await startWholeCluster([outside.port]);
  }, 400_000);
  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
    await outside?.stop();
  }, 120_000);

  /** A cluster for tests provides no volumes by itself. */
  async function volumeFor(namespace: string): Promise<void> {
    const path = await temporaryDirectory();
    await chmod(path, 0o777);
    await cluster.apply({
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: `store-${namespace}` },
      spec: {
        accessModes: ['ReadWriteOnce'],
        capacity: { storage: '20Gi' },
        hostPath: { path, type: 'Directory' },
        claimRef: { namespace, name: 'data-runtime-minio-0' },
      },
    });
  }

  async function upload(port: number, accessKey: string, secretKey: string): Promise<void> {
    const client = minioClient({ endpoint: '', port, accessKey, secretKey });
    await client.makeBucket('custom-bots').catch(() => undefined);
    await client.putObject('custom-bots', 'probe/code.tar.gz', await probeCode());
  }

  /** As an author does it: through a port of the Service, with the keys of the Secret. */
  async function uploadToOwnStore({ namespace, kubectl }: Installed): Promise<void> {
    await kubectl('rollout', 'status', 'statefulset/runtime-minio', '--timeout=150s');
    const key = async (name: string) => {
      const text = await kubectl('get', 'secret', 'runtime-store', '-o', `jsonpath={.data.${name}}`);
      return Buffer.from(text, 'base64').toString();
    };
    await using port = await forwarded(cluster, namespace, 'runtime-minio', 9000);
    await upload(port.port, await key('minio-access-key'), await key('minio-secret-key'));
  }

  const ready = ({ kubectl }: Installed, bot: string) =>
    kubectl('wait', '--for=condition=Ready', `bot/${bot}`, '--timeout=150s');

  test('kubernetes: installed with one command and a store of its own, an author needs kubectl alone; upgraded, drained, taken away', async () => {
    const namespace = `own-store-${randomBytes(3).toString('hex')}`;
    await volumeFor(namespace);
    const { repository, tag } = cluster.minioImage;
    const own = await install(cluster, namespace, [
      `minio.image.repository=${repository},minio.image.tag=${tag}`,
    ]);
    await cluster.kubectl('label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted');
    await uploadToOwnStore(own);
    await cluster.apply(probeBot(namespace, 'mover'));
    await ready(own, 'mover');
    await own.answers('mover', '/lives', { lives: 1 });
    expect((await own.ask('mover', '/lives', 'wrong')).status).toBe(401);

    // A new controller takes over from the old one; the bots do not notice.
    const first = await own.uidOf('rt-mover');
    await own.upgrade('botController.resources.limits.memory=600Mi');
    await own.answers('mover', '/lives', { lives: 1 });
    expect(await own.uidOf('rt-mover')).toBe(first);

    // The state goes on on the other node. The store first, where it is on the same one.
    const node = await own.nodeOf('rt-mover');
    try {
      await cluster.kubectl('cordon', node);
      if ((await own.nodeOf('runtime-minio-0')) === node) {
        await own.kubectl('delete', 'pod', 'runtime-minio-0');
        await own.kubectl('rollout', 'status', 'statefulset/runtime-minio', '--timeout=150s');
      }
      await cluster.kubectl(
        ...['drain', node, '--ignore-daemonsets', '--delete-emptydir-data', '--force', '--timeout=150s'],
        '--pod-selector=app!=client',
      );
      await own.answers('mover', '/lives', { lives: 2 });
      expect(await own.nodeOf('rt-mover')).not.toBe(node);
    } finally {
      await cluster.kubectl('uncordon', node);
    }

    // Deleted: saved first, and there again for the next one of that name.
    await own.kubectl('delete', 'bot', 'mover', '--timeout=120s');
    expect(await own.kubectl('get', 'pods', '-l', 'runtime.role=bot', '-o', 'name')).toBe('');
    await cluster.apply(probeBot(namespace, 'mover'));
    await own.answers('mover', '/lives', { lives: 3 });

    // Without its controller a bot runs on, kept in as before; the next controller finds it.
    const third = await own.uidOf('rt-mover');
    await cluster.helm('uninstall', 'runtime', '--namespace', namespace, '--wait');
    expect(await own.uidOf('rt-mover')).toBe(third);
    const left = await own.kubectl(
      'get',
      'bots,persistentvolumeclaims,secrets,networkpolicies',
      '-o',
      'name',
    );
    for (const one of [
      'bot.runtime.bots/mover',
      'persistentvolumeclaim/data-runtime-minio-0',
      'secret/runtime-store',
      'networkpolicy.networking.k8s.io/runtime-bots',
    ])
      expect(left).toContain(one);
    const again = await install(cluster, namespace, [
      `minio.image.repository=${repository},minio.image.tag=${tag}`,
    ]);
    await again.answers('mover', '/lives', { lives: 3 });
    expect(await own.uidOf('rt-mover')).toBe(third);

    // All of it: bots first, while there is who saves them.
    await own.kubectl('delete', 'bots', '--all', '--timeout=120s');
    await cluster.helm('uninstall', 'runtime', '--namespace', namespace, '--wait');
    await cluster.kubectl('delete', 'namespace', namespace, '--timeout=120s');
  });

  test('kubernetes: with an external store; nobody reaches a bot, and it reaches what it may', async () => {
    const suffix = randomBytes(3).toString('hex');
    const namespace = `external-store-${suffix}`;
    // The store may have those of an earlier try.
    const [walled, other] = [`walled-${suffix}`, `other-${suffix}`];
    await cluster.kubectl('create', 'namespace', namespace);
    const { accessKey, secretKey, port } = outside;
    const literals = {
      'minio-access-key': accessKey,
      'minio-secret-key': secretKey,
      'query-token': 'a-token',
    };
    await cluster.kubectl(
      ...['--namespace', namespace, 'create', 'secret', 'generic', 'store'],
      ...Object.entries(literals).map(([key, value]) => `--from-literal=${key}=${value}`),
    );
    const values = [
      `minio.enabled=false,minio.endpoint=10.244.0.1:${port},global.existingSecret=store`,
      'networkPolicy.storeCidrs={10.244.0.1/32}',
    ];
    const own = await install(cluster, namespace, values, 'store');
    await upload(port, accessKey, secretKey);
    await cluster.apply(probeBot(namespace, walled, { network: { egress: 'none' } }));
    await cluster.apply(probeBot(namespace, other));
    await ready(own, walled);
    await ready(own, other);
    await own.answers(other, '/lives', { lives: 1 });
    const ip = async (pod: string) => await own.kubectl('get', 'pod', pod, '-o', 'jsonpath={.status.podIP}');
    const address = `${await ip(`rt-${other}`)}:9476`;
    const [api, gateway] = ['10.96.0.1:443', `runtime-bot-controller.${namespace}:9477`];
    const kubelets = ['10.244.0.1:10250', '10.244.1.1:10250'];
    const store = `10.244.0.1:${port}`;
    const asked = [address, api, gateway, ...kubelets, '10.96.0.10:53', store];
    const query = `/reaches?${asked.map((one) => `to=${one}`).join('&')}`;
    const all = (may: (one: string) => boolean) => Object.fromEntries(asked.map((one) => [one, may(one)]));

    const mayAlways = (one: string) => one === '10.96.0.10:53' || one === store;
    await own.answers(walled, query, all(mayAlways));
    // The Internet is none of these addresses; one is its own.
    await own.answers(
      other,
      query,
      all((one) => one === address || mayAlways(one)),
    );
    expect(await own.reaches(address)).toBe(false);
    expect(await own.reaches(gateway)).toBe(true);

    // What its `egress` names, and nothing else.
    await cluster.apply(probeBot(namespace, walled, { network: { egress: ['10.244.1.1/32'] } }));
    await own.answers(
      walled,
      query,
      all((one) => one === kubelets[1] || mayAlways(one)),
    );

    // Negative control: it is the chart's policies that keep them apart.
    await own.upgrade('networkPolicy.enabled=false');
    await vi.waitFor(async () => expect(await own.reaches(address)).toBe(true), soon);
    await own.kubectl('delete', 'bots', '--all', '--timeout=120s');
  });
});
