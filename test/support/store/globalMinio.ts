import type { TestProject } from 'vitest/node';
import { type MinioAddress, startMinio } from './minio.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    minio: MinioAddress;
  }
}

/** One server for the whole run; every test uses buckets of its own. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { endpoint, port, accessKey, secretKey, stop } = await startMinio();
  project.provide('minio', { endpoint, port, accessKey, secretKey });
  return stop;
}
