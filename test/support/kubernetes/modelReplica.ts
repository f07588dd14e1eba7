import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runClusterHost } from '../../../src/host/run/cluster/runClusterHost.ts';
import { readHostOptions } from '../../../src/host/run/hostOptions.ts';
import { loadHost } from '../../../src/host/run/loadHost.ts';
import type { createModelEngine } from '../host/modelEngine.ts';
import { modelInstances } from '../host/modelHost.ts';
import { theCluster } from './kubeTest.ts';
import type { TestNamespace } from './testNamespace.ts';

export type ModelEngine = ReturnType<typeof createModelEngine>;

export interface ModelReplica extends AsyncDisposable {
  readonly log: string[];
  /** Resolves when it has ended, with why when that was not `stop`. */
  readonly ended: Promise<unknown>;
  /** As by SIGTERM. */
  stop(): Promise<void>;
}

/**
 * One replica of a host, in this process: everything of it is real but what runs bots, which is a model that the test ends as it likes.
 * Two of them share the model, as they would share a cluster.
 */
export async function modelReplica(
  space: TestNamespace,
  model: ModelEngine,
  env: Record<string, string> = {},
): Promise<ModelReplica> {
  const { kubeconfig, minio } = theCluster();
  const data = mkdtempSync(join(tmpdir(), 'replica-'));
  const all = {
    KUBECONFIG: kubeconfig,
    NAMESPACE: space.name,
    MINIO_ENDPOINT: `${minio.endpoint.replace(/^https?:\/\//, '')}`,
    MINIO_ACCESS_KEY: minio.accessKey,
    MINIO_SECRET_KEY: minio.secretKey,
    RUNTIME_HOST_BOTS: 'kubernetes:',
    RUNTIME_HOST_DATA: data,
    RUNTIME_HOST_SOCKET: join(data, 'host.sock'),
    RUNTIME_HOST_QUERY_PORT: '0',
    RUNTIME_HOST_HEALTH_PORT: '0',
    ...env,
  };
  const log: string[] = [];
  const stderr = { write: (line: string) => void log.push(line) };
  const loaded = await loadHost({ env: all, stderr: stderr as never });
  const stop = new AbortController();
  const run = {
    ...loaded,
    options: readHostOptions({ env: all, flags: {} }),
    cwd: data,
    signal: stop.signal,
  };
  const parts = async () => ({ engine: model.engine, instances: modelInstances(), description: 'a model' });
  const ended = runClusterHost(run, parts).then(
    () => undefined,
    (error: unknown) => error,
  );
  const end = async () => {
    stop.abort();
    await ended;
  };
  return {
    log,
    ended,
    stop: end,
    [Symbol.asyncDispose]: async () => {
      await end();
      rmSync(data, { recursive: true, force: true });
    },
  };
}
