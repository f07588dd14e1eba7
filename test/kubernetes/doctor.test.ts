import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { kubeTest, theCluster } from '../support/kubernetes/kubeTest.ts';
import { testNamespace } from '../support/kubernetes/testNamespace.ts';

const runtime = join(import.meta.dirname, '../../dist/runtime');

interface Report {
  readonly exit: number;
  readonly checks: readonly { readonly check: string; readonly status: string; readonly message: string }[];
}

kubeTest('doctor looks at the cluster: its version, what it allows, what its namespace takes', async () => {
  await using space = await testNamespace();
  const { kubeconfig, minio } = theCluster();
  const examine = async (namespace: string): Promise<Report> => {
    const args = ['doctor', '--host', '--json', '--driver', 'kubernetes', '--namespace', namespace];
    const env = {
      PATH: process.env.PATH,
      KUBECONFIG: kubeconfig,
      MINIO_ENDPOINT: minio.endpoint,
      MINIO_ACCESS_KEY: minio.accessKey,
      MINIO_SECRET_KEY: minio.secretKey,
    };
    const { stdout } = await promisify(execFile)(runtime, args, { env });
    return JSON.parse(stdout) as Report;
  };
  const found = async (namespace: string) =>
    (await examine(namespace)).checks.slice(0, 3).map(({ check, status }) => `${check} ${status}`);
  expect(await found(space.name)).toEqual(['cluster ok', 'rights ok', 'pod security ok']);
  expect(await found('default')).toEqual(['cluster ok', 'rights ok', 'pod security warn']);
});
