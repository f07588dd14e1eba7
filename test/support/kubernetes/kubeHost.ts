import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'minio';
import type { Pod } from '../../../src/host/engine/kubernetes/pods/pod.ts';
import { type Resource, resource } from '../../../src/host/kubernetes/resource.ts';
import { type RealHost, realHost } from '../host/realHost.ts';
import { theCluster } from './kubeTest.ts';
import { type TestNamespace, testNamespace } from './testNamespace.ts';

const execute = promisify(execFile);
const runtime = join(import.meta.dirname, '../../../dist/runtime');

/** The real executable as a host of a namespace of its own, with bots in a folder. */
export interface KubeHost extends RealHost {
  readonly space: TestNamespace;
  readonly pods: Resource<Pod>;
  /** Of the query gateway: status and JSON. */
  ask(bot: string, path: string): Promise<Answer>;
  /** A file of the bot's state as it is in the store. */
  stateFile(bot: string, name: string): Promise<string>;
}

export interface Answer {
  readonly status: number;
  readonly body: { readonly data?: unknown; readonly error?: string };
}

export async function kubeHost(env: Record<string, string> = {}): Promise<KubeHost> {
  const { image, store, minio, enter, kubeconfig } = theCluster();
  const space = await testNamespace();
  const { hostname, protocol } = new URL(minio.endpoint);
  const client = new Client({
    endPoint: hostname,
    port: minio.port,
    useSSL: protocol === 'https:',
    accessKey: minio.accessKey,
    secretKey: minio.secretKey,
  });
  const host = await realHost({
    image,
    minio: { ...store, client },
    enter,
    env: {
      KUBECONFIG: kubeconfig,
      NAMESPACE: space.name,
      RUNTIME_HOST_DRIVER: 'kubernetes',
      // Namespaces share the store: a bucket of its own keeps bots of the same name apart.
      MINIO_STATE_BUCKET: `state-${space.name}`,
      MINIO_LOGS_BUCKET: `logs-${space.name}`,
      SYNC_INTERVAL: '2s',
      ...env,
    },
    cleanUp: async () => await space[Symbol.asyncDispose](),
  });
  const stores = {
    PATH: process.env.PATH,
    MINIO_ENDPOINT: store.endpoint,
    MINIO_ACCESS_KEY: store.accessKey,
    MINIO_SECRET_KEY: store.secretKey,
    MINIO_STATE_BUCKET: `state-${space.name}`,
  };
  const own = {
    stateFile: async (bot: string, name: string): Promise<string> => {
      const to = await mkdtemp(join(tmpdir(), 'saved-'));
      try {
        const [program = runtime, ...args] = [...enter, runtime, 'state', 'restore', bot, '--to', to];
        await execute(program, args, { env: stores });
        const path = readdirSync(to, { recursive: true }).find((one) => basename(String(one)) === name);
        return readFileSync(join(to, String(path)), 'utf8');
      } finally {
        await rm(to, { recursive: true, force: true });
      }
    },
    space,
    pods: resource<Pod>(space.client, { api: 'v1', plural: 'pods', namespace: space.name }),
    ask: async (bot: string, path: string): Promise<Answer> => {
      const url = `http://127.0.0.1:${host.queryPort}/bots/${bot}${path}`;
      const [program = 'curl', ...args] = [
        ...enter,
        'curl',
        '-sS',
        '--max-time',
        '90',
        '-w',
        '\n%{http_code}',
        url,
      ];
      const { stdout } = await execute(program, args);
      const [body = '', status] = stdout.split(/\n(?=\d+$)/);
      return { status: Number(status), body: JSON.parse(body || '{}') as Answer['body'] };
    },
  };
  // Getters stay getters.
  return Object.create(host, Object.getOwnPropertyDescriptors(own)) as KubeHost;
}
