import { join } from 'node:path';
import { vi } from 'vitest';
import type { WholeCluster } from './wholeCluster.ts';

export const chart = join(import.meta.dirname, '../../../deploy/chart');
/** For `vi.waitFor`: pods and leases take seconds, on a busy machine many. */
export const soon = { timeout: 120_000, interval: 500 };

/** A release of the chart in a namespace of its own, as its authors and its operator have it. */
export interface Installed {
  readonly namespace: string;
  kubectl(...args: string[]): Promise<string>;
  /** `helm` with this release and chart: `upgrade`, `uninstall`. */
  upgrade(...set: string[]): Promise<string>;
  /** An answer of the query gateway, asked by the Service's name from a pod of another namespace. */
  ask(bot: string, path: string, token?: string): Promise<Answer>;
  /** The same, until it is as wanted. */
  answers(bot: string, path: string, data: object): Promise<void>;
  /** Whether a connection comes about, from that pod of another namespace. */
  reaches(address: string): Promise<boolean>;
  uidOf(pod: string): Promise<string>;
  nodeOf(pod: string): Promise<string>;
}

export interface Answer {
  readonly status: number;
  readonly body: { readonly data?: unknown };
}

/** A pod of somebody else, with Python in it. */
const client = (image: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'client', namespace: 'default', labels: { app: 'client' } },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [
      {
        name: 'client',
        image,
        imagePullPolicy: 'Never',
        command: ['python3', '-c', 'import time\nwhile True: time.sleep(60)'],
      },
    ],
  },
});

const asking = `import json, sys, urllib.request, urllib.error
request = urllib.request.Request(sys.argv[1], headers={"Authorization": "Bearer " + sys.argv[2]})
try: answer = urllib.request.urlopen(request, timeout=60)
except urllib.error.HTTPError as error: answer = error
except urllib.error.URLError as error: sys.exit(print(json.dumps({"status": 0, "body": {"error": str(error)}})))
print(json.dumps({"status": answer.status, "body": json.loads(answer.read() or b"{}")}))`;

const dialling = `import socket, sys
host, port = sys.argv[1].rsplit(":", 1)
try: socket.create_connection((host, int(port)), 3).close(); print("yes")
except OSError: print("no")`;

/** `helm install` with these values, and whoever asks it. `secret`: with the keys of the store, where the chart makes none. */
export async function install(
  cluster: WholeCluster,
  namespace: string,
  values: readonly string[],
  secret = 'runtime-store',
): Promise<Installed> {
  const { repository, tag } = cluster.image;
  const image = `botController.image.repository=${repository},botController.image.tag=${tag}`;
  await cluster.helm(
    ...['install', 'runtime', chart, '--namespace', namespace, '--create-namespace'],
    ...[image, ...values].flatMap((one) => ['--set', one]),
  );
  await cluster.apply(client(`${repository}:${tag}`));
  await cluster.kubectl('wait', '--for=condition=Ready', 'pod/client', '--timeout=120s');
  const kubectl = (...args: string[]) => cluster.kubectl('--namespace', namespace, ...args);
  const inClient = (program: string, ...args: string[]) =>
    cluster.kubectl('exec', 'client', '--', 'python3', '-c', program, ...args);
  const token = async () =>
    Buffer.from(
      await kubectl('get', 'secret', secret, '-o', 'jsonpath={.data.query-token}'),
      'base64',
    ).toString();
  const gateway = `http://runtime-bot-controller.${namespace}:9477`;
  const ask = async (bot: string, path: string, given?: string): Promise<Answer> =>
    JSON.parse(await inClient(asking, `${gateway}/bots/${bot}${path}`, given ?? (await token()))) as Answer;
  const jsonpath = async (pod: string, path: string) =>
    await kubectl('get', 'pod', pod, '-o', `jsonpath={${path}}`);
  return {
    namespace,
    kubectl,
    upgrade: (...values) =>
      cluster.helm(
        ...['upgrade', 'runtime', chart, '--namespace', namespace, '--reuse-values', '--wait'],
        ...values.flatMap((one) => ['--set', one]),
      ),
    ask,
    answers: (bot, path, data) =>
      vi.waitFor(async () => {
        const answer = await ask(bot, path);
        if (JSON.stringify(answer.body.data) !== JSON.stringify(data))
          throw new Error(`${bot} answers ${JSON.stringify(answer)}`);
      }, soon),
    reaches: async (address) => (await inClient(dialling, address)).trim() === 'yes',
    uidOf: (pod) => jsonpath(pod, '.metadata.uid'),
    nodeOf: (pod) => jsonpath(pod, '.spec.nodeName'),
  };
}
