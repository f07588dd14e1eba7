import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'minio';
import { systemClock } from '../../src/base/clock.ts';
import { createKubeClient } from '../../src/host/kubernetes/kubeClient.ts';
import { readKubeconfig } from '../../src/host/kubernetes/kubeconfig.ts';
import { targetImage } from '../../test/support/container/docker.ts';
import { realHost } from '../../test/support/host/realHost.ts';
import { botsOf } from '../../test/support/kubernetes/withBots.ts';
import { startMinio } from '../../test/support/store/minio.ts';
import { benchCluster } from './benchCluster.ts';
import { median, printTable } from './lib.ts';

/**
 * One bot's start on a real node, from `kubectl apply` of a Bot to the first line in the pod's log, in turns with `kubectl run` of the
 * same program in the same image without the runtime. Both are asked for their log every 20 ms.
 */
const runs = Number(process.argv[2] ?? 10);
const namespace = 'bench';
const { state, run, kube } = benchCluster('pods');
const kubectl = (...args: string[]) =>
  execFileSync(join(run, 'bin/kubectl'), ['--namespace', namespace, ...args], { stdio: 'ignore' });

const image = await targetImage('python');
const minio = await startMinio();
try {
  const port = String(minio.port);
  const kubeconfig = kube('up', '--node', '--image', image, '--host-port', port).trim();
  const client = createKubeClient(readKubeconfig(kubeconfig, process.env, Date.now), systemClock);
  kubectl('create', 'namespace', namespace);
  await botsOf(client, namespace);
  const store = { ...minio, endpoint: `http://10.244.0.1:${port}` };
  const minioClient = new Client({
    endPoint: '127.0.0.1',
    port: minio.port,
    useSSL: false,
    accessKey: minio.accessKey,
    secretKey: minio.secretKey,
  });
  await using host = await realHost({
    image,
    minio: { ...store, client: minioClient },
    enter: [join(run, 'bin/in-net')],
    env: {
      KUBECONFIG: kubeconfig,
      NAMESPACE: namespace,
      RUNTIME_HOST_DRIVER: 'kubernetes',
      RUNTIME_HOST_BOTS: 'kubernetes:',
    },
    cleanUp: async () => undefined,
  });
  const program = 'print("first line", flush=True)\nimport time\ntime.sleep(600)\n';
  const folder = join(state, 'bot');
  execFileSync('mkdir', [folder]);
  writeFileSync(join(folder, 'main.py'), program);
  const archive = join(state, 'code.tar.gz');
  execFileSync('tar', ['-C', folder, '-czf', archive, '.']);
  await minioClient.fPutObject('custom-bots', 'bench/code.tar.gz', archive);
  await host.start();

  const bot = (name: string) => {
    const file = join(state, `${name}.json`);
    const spec = {
      type: 'realtime',
      runtime: 'python3.11',
      code: { file: 'bench/code.tar.gz' },
      entrypoints: { bot: 'main.py' },
      stop: { timeout: '1s' },
    };
    writeFileSync(
      file,
      JSON.stringify({ apiVersion: 'runtime.bots/v1alpha1', kind: 'Bot', metadata: { name }, spec }),
    );
    return file;
  };
  /** Milliseconds until the pod's log has its first line. */
  const first = async (pod: string, container: string, begin: () => void): Promise<number> => {
    const began = performance.now();
    begin();
    for (const signal = AbortSignal.timeout(120_000); ; await pause(20)) {
      const path = `/api/v1/namespaces/${namespace}/pods/${pod}/log`;
      const query = { container };
      const log = client.stream({ op: 'log', subject: pod, method: 'GET', path, query, signal });
      try {
        let text = '';
        for await (const chunk of await log) text += chunk;
        if (text.includes('first line')) return performance.now() - began;
      } catch {
        signal.throwIfAborted();
      }
    }
  };

  const [ours, bare]: [number[], number[]] = [[], []];
  for (let run = 0; run <= runs; run += 1) {
    const name = `bare-${run}`;
    const command = [
      '--image',
      image,
      '--restart=Never',
      '--image-pull-policy=IfNotPresent',
      '--command',
      '--',
    ];
    const without = await first(name, name, () => kubectl('run', name, ...command, 'python3', '-c', program));
    kubectl('delete', 'pod', name, '--grace-period=1', '--wait=false');
    const file = bot(`bot-${run}`);
    const withOurs = await first(`rt-bot-${run}`, 'bot', () => kubectl('apply', '-f', file));
    kubectl('delete', '-f', file, '--wait=false');
    await pause(3_000);
    // The first of each finds nothing warm.
    if (run === 0) continue;
    ours.push(withOurs);
    bare.push(without);
  }
  client.close();
  const ms = (values: number[]) =>
    `${Math.round(median(values))} ms (${Math.round(Math.min(...values))} to ${Math.round(Math.max(...values))})`;
  printTable(`From the command to the first line; median of ${runs} (from, to)`, [
    ['kubectl run, the bare program', ms(bare)],
    ['kubectl apply of a Bot', ms(ours)],
    ['difference, pair by pair', ms(ours.map((value, index) => value - bare[index]!))],
  ]);
} finally {
  kube('down');
  await minio.stop();
  rmSync(state, { recursive: true, force: true });
}
