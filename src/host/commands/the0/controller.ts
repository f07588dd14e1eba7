import type { Command, Invocation } from '../../../base/command/command.ts';
import { stopSignal } from '../../../base/command/stopSignal.ts';
import { hostOptionSpecs, readHostOptions } from '../../run/hostOptions.ts';
import { the0Options } from './part.ts';

/** Options of `runtime host` that it takes as well. */
const passed: readonly string[] = [
  'name',
  'pod-layout',
  'lost-node',
  'pod-template',
  'data',
  'socket',
  'listen',
];
/** The0's namespace, where nobody names another. */
const NAMESPACE = 'the0';

/** The0's controller: a host on Kubernetes with its database as the source, and no right on custom resources. */
export const controller: Command = {
  name: 'controller',
  summary: "the0's command: runs the bots of its database on a Kubernetes cluster",
  positionals: '',
  options: {
    ...the0Options,
    namespace: { type: 'string', description: `NAMESPACE: where the bots run (${NAMESPACE})` },
    'reconcile-interval': {
      type: 'string',
      description: 'RECONCILE_INTERVAL: how often the database is read (10s)',
    },
    'minio-endpoint': { type: 'string', description: 'MINIO_ENDPOINT: the store (minio:9000)' },
    'minio-bucket': { type: 'string', description: 'MINIO_BUCKET: of code archives (custom-bots)' },
    'runtime-image': { type: 'string', description: 'RUNTIME_IMAGE: the image of all bots' },
    'runtime-image-pull-policy': {
      type: 'string',
      description: 'RUNTIME_IMAGE_PULL_POLICY: Always, IfNotPresent or Never',
    },
    ...Object.fromEntries(Object.entries(hostOptionSpecs()).filter(([name]) => passed.includes(name))),
  },
  details: [
    'A host on Kubernetes with the0’s database as its source: docs/kubernetes.md. The store’s keys are in MINIO_ACCESS_KEY and',
    'MINIO_SECRET_KEY. Several replicas take turns by a Lease.',
  ].join('\n'),
  run: async ({ flags, env: given, stderr, cwd }) => {
    const env = the0Env({ flags, env: given });
    const { loadHost } = await import('../../run/loadHost.ts');
    const loaded = await loadHost({ env, stderr });
    const options = readHostOptions({
      env,
      flags: {
        listen: env.RUNTIME_HOST_LISTEN || 'all',
        ...only(flags),
        bots: env.MONGO_URI,
        driver: 'kubernetes',
      },
    });
    const { runClusterHost } = await import('../../run/cluster/runClusterHost.ts');
    const { openClusterParts } = await import('../../run/cluster/openClusterParts.ts');
    await runClusterHost({ ...loaded, options, cwd, signal: stopSignal() }, openClusterParts);
    return 0;
  },
};

/** Flags and variables of the0's, in our words. */
export function the0Env({
  flags,
  env,
}: Pick<Invocation, 'flags' | 'env'>): Record<string, string | undefined> {
  const flag = (name: string) => (typeof flags[name] === 'string' ? flags[name] : undefined);
  const bucket = flag('minio-bucket') || env.MINIO_BUCKET;
  return {
    ...env,
    MONGO_URI: flag('mongo-uri') || env.MONGO_URI || 'mongodb://localhost:27017',
    NATS_URL: flag('nats-url') || env.NATS_URL,
    NAMESPACE: flag('namespace') || env.NAMESPACE || NAMESPACE,
    RECONCILE_INTERVAL: flag('reconcile-interval') || env.RECONCILE_INTERVAL,
    MINIO_ENDPOINT: flag('minio-endpoint') || env.MINIO_ENDPOINT || 'minio:9000',
    ...(bucket ? { MINIO_CODE_BUCKET: bucket } : {}),
    RUNTIME_IMAGE: flag('runtime-image') || env.RUNTIME_IMAGE,
    RUNTIME_IMAGE_PULL_POLICY: flag('runtime-image-pull-policy') || env.RUNTIME_IMAGE_PULL_POLICY,
    ...(env.QUERY_SERVER_PORT ? { RUNTIME_HOST_QUERY_PORT: env.QUERY_SERVER_PORT } : {}),
  };
}

const only = (flags: Invocation['flags']) =>
  Object.fromEntries(Object.entries(flags).filter(([name]) => passed.includes(name)));
