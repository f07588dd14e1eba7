import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';
import { baseImage, targetImage } from '../container/docker.ts';
import { type MinioAddress, startMinio } from '../store/minio.ts';

/** What the tests of a cluster share: one with a real node, an image in it, and a store that its pods reach. */
export interface ClusterAddress {
  /** Path. */
  readonly kubeconfig: string;
  readonly image: string;
  /** As pods and the host reach it. */
  readonly store: MinioAddress;
  /** The same from this process. */
  readonly minio: MinioAddress;
  /** Put before a command that has to reach pods at their addresses. */
  readonly enter: readonly string[];
  /** Folder of the cluster's own programs; undefined where it is another one. */
  readonly state: string | undefined;
}

export type Cluster = ClusterAddress | { readonly missing: string };

declare module 'vitest' {
  export interface ProvidedContext {
    cluster: Cluster;
  }
}

const script = join(import.meta.dirname, '../../../scripts/kube');
const execute = promisify(execFile);

/**
 * A cluster for the whole run, where one has been built (`scripts/kube build`); else the tests say that they were skipped. With
 * KUBECONFIG another one is used: RUNTIME_TEST_IMAGE and RUNTIME_TEST_STORE (`http://KEY:SECRET@HOST:PORT`) name an image and a store that
 * its pods reach, RUNTIME_TEST_ENTER what to put before a command that has to reach pods.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  if (process.env.KUBECONFIG) {
    project.provide('cluster', other(process.env));
    return async () => undefined;
  }
  const missing = await whyNone();
  if (missing !== undefined) {
    process.stdout.write(`\nThe tests of Kubernetes are skipped: ${missing}\n`);
    project.provide('cluster', { missing });
    return async () => undefined;
  }
  const image = await targetImage('python');
  const minio = await startMinio();
  const state = await mkdtemp(join(tmpdir(), 'kube-'));
  const env = { ...process.env, RUNTIME_KUBE_STATE: join(state, 'run') };
  const end = async () => {
    await execute(script, ['down'], { env });
    await minio.stop();
    await rm(state, { recursive: true, force: true });
  };
  try {
    const port = String(minio.port);
    const { stdout } = await execute(script, ['up', '--node', '--image', image, '--host-port', port], {
      env,
    });
    const { endpoint, accessKey, secretKey } = minio;
    const address = { endpoint, port: minio.port, accessKey, secretKey };
    project.provide('cluster', {
      kubeconfig: stdout.trim(),
      image,
      store: { ...address, endpoint: `http://10.244.0.1:${port}` },
      minio: address,
      enter: [join(state, 'run/bin/in-net')],
      state: join(state, 'run'),
    });
  } catch (error) {
    await end();
    throw error;
  }
  return end;
}

async function whyNone(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'a node needs root';
  try {
    await execute(script, ['built']);
  } catch {
    return 'no cluster is built here. `scripts/kube build` builds one (minutes, once), or KUBECONFIG names another.';
  }
  return (await baseImage()).missing;
}

function other(env: NodeJS.ProcessEnv): Cluster {
  const { KUBECONFIG = '', RUNTIME_TEST_IMAGE, RUNTIME_TEST_STORE, RUNTIME_TEST_ENTER = '' } = env;
  if (!RUNTIME_TEST_IMAGE || !RUNTIME_TEST_STORE)
    throw new Error('KUBECONFIG needs RUNTIME_TEST_IMAGE and RUNTIME_TEST_STORE=http://KEY:SECRET@HOST:PORT');
  const { username, password, host, port } = new URL(RUNTIME_TEST_STORE);
  const store = { endpoint: `http://${host}`, port: Number(port), accessKey: username, secretKey: password };
  return {
    kubeconfig: KUBECONFIG,
    image: RUNTIME_TEST_IMAGE,
    store,
    minio: store,
    enter: RUNTIME_TEST_ENTER.split(' ').filter((word) => word !== ''),
    state: undefined,
  };
}
