import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../../src/base/clock.ts';
import type { Pod } from '../../../src/host/engine/kubernetes/pods/pod.ts';
import type { KubeClient } from '../../../src/host/kubernetes/kubeClient.ts';
import type { KubeObject, SecretObject } from '../../../src/host/kubernetes/objects.ts';
import { type Resource, resource } from '../../../src/host/kubernetes/resource.ts';
import { newContainer, type StartedRuntime, startRuntime } from '../process/executable.ts';
import type { MinioAddress } from '../store/minio.ts';

/** A node whose kubelet is the test: what it says of itself and of its pods, and the real processes that it runs for them. */
export interface PlayedNode extends AsyncDisposable {
  /** Of pods that may be on it, and rather are on it than elsewhere. */
  readonly template: { readonly tolerations: readonly object[]; readonly affinity: object };
  /** The pod of this name once it is assigned to this node. */
  assigned(pods: Resource<Pod>, name: string): Promise<Pod>;
  /** Tells the cluster that its container runs. */
  says(pods: Resource<Pod>, pod: Pod): Promise<void>;
  /** The cluster hears nothing of it any more. */
  lose(): void;
}

const TAINT = 'runtime.test/played';
const HEARTBEAT_MS = 5_000;
const signal = () => AbortSignal.timeout(60_000);

export async function playedNode(client: KubeClient): Promise<PlayedNode> {
  const name = `played-${randomBytes(4).toString('hex')}`;
  const nodes = resource<KubeObject>(client, { api: 'v1', plural: 'nodes', namespace: undefined });
  await nodes.create(
    {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name, labels: { [TAINT]: name } },
      spec: { taints: [{ key: TAINT, value: name, effect: 'NoSchedule' }] },
    },
    signal(),
  );
  const over = new AbortController();
  const room = { cpu: '64', memory: '512Gi', 'ephemeral-storage': '512Gi', pods: '100' };
  const beat = async () => {
    const now = new Date().toISOString().replace(/\.\d+/, '');
    const ready = {
      type: 'Ready',
      status: 'True',
      reason: 'KubeletReady',
      message: 'played',
      lastHeartbeatTime: now,
    };
    const status = { allocatable: room, capacity: room, conditions: [ready] };
    await nodes.patch(name, { status }, signal(), 'status');
  };
  const beating = (async () => {
    while (!over.signal.aborted) {
      await beat().catch(() => undefined);
      await systemClock.sleep(HEARTBEAT_MS, over.signal).catch(() => undefined);
    }
  })();

  return {
    template: {
      tolerations: [{ key: TAINT, operator: 'Equal', value: name, effect: 'NoSchedule' }],
      affinity: {
        nodeAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            {
              weight: 100,
              preference: { matchExpressions: [{ key: TAINT, operator: 'In', values: [name] }] },
            },
          ],
        },
      },
    },
    async assigned(pods, pod) {
      for (const late = AbortSignal.timeout(120_000); ; await systemClock.sleep(100, late)) {
        const found = await pods.get(pod, late);
        if (found?.spec.nodeName === name) return found;
        if (found?.spec.nodeName !== undefined) throw new Error(`${pod} is on ${found.spec.nodeName}`);
      }
    },
    async says(pods, { metadata }) {
      const startedAt = new Date().toISOString().replace(/\.\d+/, '');
      const state = { running: { startedAt } };
      const one = {
        name: 'bot',
        image: 'played',
        imageID: 'played',
        ready: true,
        restartCount: 0,
        started: true,
        state,
      };
      const conditions = [{ type: 'Ready', status: 'True' }];
      const status = {
        phase: 'Running',
        podIP: '127.0.0.1',
        startTime: startedAt,
        containerStatuses: [one],
        conditions,
      };
      await pods.patch(metadata.name, { metadata: { uid: metadata.uid }, status }, signal(), 'status');
    },
    lose: () => over.abort(),
    [Symbol.asyncDispose]: async () => {
      over.abort();
      await beating;
      await nodes.remove(name, {}, signal());
    },
  };
}

interface WholePod extends Pod {
  readonly spec: Pod['spec'] & { readonly containers: readonly Container[] };
}

interface Container {
  readonly env: readonly Variable[];
}

interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly secretKeyRef: { readonly name: string; readonly key: string } };
}

/** What the pod's container would be: the executable with its environment, its keys, and folders of its own. Killed with the test. */
export async function runAsContainer(
  client: KubeClient,
  pod: Pod,
  store: MinioAddress,
): Promise<StartedRuntime & { readonly root: string }> {
  const { namespace = '' } = pod.metadata;
  const secrets = resource<SecretObject>(client, { api: 'v1', plural: 'secrets', namespace });
  const { annotations = {} } = pod.metadata;
  const { data = {} } = (await secrets.get(annotations['runtime/secret'] ?? '', signal()))!;
  const given = (key: string) => Buffer.from(data[key] ?? '', 'base64').toString();
  const [{ env } = { env: [] }] = (pod as WholePod).spec.containers;
  const container = await newContainer();
  const keys = join(container.root, 'keys');
  await writeFile(keys, given(Object.keys(data).find((key) => key.startsWith('file_run_runtime.'))!));
  const variables = env.map(({ name, value, valueFrom }) => [
    name,
    valueFrom === undefined ? value : given(valueFrom.secretKeyRef.key),
  ]);
  const all = { ...Object.fromEntries(variables), ...container.env };
  const own = { MINIO_ENDPOINT: store.endpoint, MINIO_KEYS_FILE: keys };
  return { ...startRuntime(['execute'], { ...all, ...own }), root: container.root };
}
