import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inject } from 'vitest';
import { targetTag } from '../container/docker.ts';

const execute = promisify(execFile);
const scripts = join(import.meta.dirname, '../../../scripts');

/** What an operator has: two real nodes, names, NetworkPolicies that are enforced, kubectl and helm. */
export interface WholeCluster extends AsyncDisposable {
  /** Of the runtime, in the nodes. */
  readonly image: { readonly repository: string; readonly tag: string };
  readonly minioImage: { readonly repository: string; readonly tag: string };
  readonly state: string;
  /** Standard output; throws with what it says on stderr. */
  kubectl(...args: string[]): Promise<string>;
  helm(...args: string[]): Promise<string>;
  /** `kubectl apply -f -`. */
  apply(manifest: object | string): Promise<string>;
}

/** Why there can be none here; undefined: there can. */
export async function whyNoWholeCluster(): Promise<string | undefined> {
  const cluster = inject('cluster');
  if ('missing' in cluster) return cluster.missing;
  if (cluster.state === undefined) return 'the cluster that KUBECONFIG names is not ours to change';
  return await execute(join(scripts, 'helm'), ['built']).then(
    () => undefined,
    () => 'helm is not built here (scripts/helm install)',
  );
}

/** `hostPorts`: of this machine's loopback, which pods reach at 10.244.0.1. */
export async function startWholeCluster(hostPorts: readonly number[]): Promise<WholeCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'whole-'));
  const state = join(folder, 'run');
  const env = { ...process.env, RUNTIME_KUBE_STATE: state };
  // The run's own cluster has had it made.
  const image = targetTag('python');
  const minioImage = 'runtime-test-minio:1';
  const end = async () => {
    await execute(join(scripts, 'kube'), ['down'], { env });
    await rm(folder, { recursive: true, force: true });
  };
  await execute(join(scripts, 'minio'), ['image', minioImage]);
  const options = ['--nodes', '2', '--dns', '--policies', '--image', image, '--image', minioImage];
  const ports = hostPorts.flatMap((port) => ['--host-port', String(port)]);
  let kubeconfig = '';
  try {
    kubeconfig = (await execute(join(scripts, 'kube'), ['up', ...options, ...ports], { env })).stdout.trim();
  } catch (error) {
    await end();
    throw error;
  }
  const run = (program: string, args: readonly string[], input?: string): Promise<string> => {
    const running = execute(program, args, {
      env: { ...process.env, KUBECONFIG: kubeconfig },
      maxBuffer: 64 * 2 ** 20,
      timeout: 180_000,
    });
    running.child.stdin?.end(input);
    return running.then(({ stdout }) => stdout);
  };
  const kubectl = (...args: string[]) => run(join(state, 'bin/kubectl'), args);
  return {
    image: named(image),
    minioImage: named(minioImage),
    state,
    kubectl,
    helm: (...args) => run(join(scripts, 'helm'), args),
    apply: (manifest) =>
      run(
        join(state, 'bin/kubectl'),
        ['apply', '-f', '-'],
        typeof manifest === 'string' ? manifest : JSON.stringify(manifest),
      ),
    [Symbol.asyncDispose]: end,
  };
}

function named(image: string): { repository: string; tag: string } {
  const [repository = '', tag = ''] = image.split(':');
  return { repository, tag };
}
