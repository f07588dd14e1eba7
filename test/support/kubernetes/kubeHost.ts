import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Client } from 'minio';
import type { Pod } from '../../../src/host/engine/kubernetes/pods/pod.ts';
import { type Resource, resource } from '../../../src/host/kubernetes/resource.ts';
import { type RealHost, realHost } from '../host/realHost.ts';
import { theCluster } from './kubeTest.ts';
import { type TestNamespace, testNamespace } from './testNamespace.ts';

const execute = promisify(execFile);

/** The real executable as a host of a namespace of its own, with bots in a folder. */
export interface KubeHost extends RealHost {
  readonly space: TestNamespace;
  readonly pods: Resource<Pod>;
  /** Of the query gateway: status and JSON. */
  ask(bot: string, path: string): Promise<Answer>;
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
  const own = {
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
