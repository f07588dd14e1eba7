import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'minio';
import { endChild } from '../process/endChild.ts';
import { freePort } from '../process/freePort.ts';
import { standStill } from '../process/standStill.ts';

/** Where a server is and who may use it; what the tests of one run share. */
export interface MinioAddress {
  /** Origin: `http://127.0.0.1:9000`. */
  readonly endpoint: string;
  readonly port: number;
  readonly accessKey: string;
  readonly secretKey: string;
}

export interface Minio extends MinioAddress {
  /** The independent client with which tests read back what was written. */
  readonly client: Client;
  /** For a child process. */
  env(): Record<string, string>;
  /** The server stays up and answers nothing, once this has resolved. */
  pause(): Promise<void>;
  resume(): void;
  /** Ends the server, data kept: `start` brings it back on the same port. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Ends the server and removes its data. */
  stop(): Promise<void>;
}

const script = join(import.meta.dirname, '../../../scripts/minio');
const credentials = { accessKey: 'test-access-key', secretKey: 'test-secret-key-0123456789' };

/**
 * `port`: for a test that has to know it before the server is up; `dir`: where its data are, removed in the end;
 * `quiet`: it is going to complain; `address`: where it listens besides its usual loopback.
 */
export async function startMinio(
  options: { port?: number; start?: boolean; dir?: string; quiet?: boolean; address?: string } = {},
): Promise<Minio> {
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'minio-')));
  const port = options.port ?? (await freePort());
  const address = { endpoint: `http://127.0.0.1:${port}`, port, ...credentials };
  let child: ChildProcess | undefined;

  const kill = async () => void (await endChild(child, 'SIGKILL'));
  const start = async () => {
    child = spawn(script, ['run', dir, String(port), options.address ?? '127.0.0.1'], {
      stdio: ['ignore', 'ignore', options.quiet ? 'ignore' : 'inherit'],
      env: {
        ...process.env,
        MINIO_ROOT_USER: credentials.accessKey,
        MINIO_ROOT_PASSWORD: credentials.secretKey,
        MINIO_UPDATE: 'off',
      },
    });
    await untilLive(address.endpoint, child);
  };

  if (options.start !== false) await start();
  return {
    ...address,
    client: minioClient(address),
    env: () => minioEnv(address),
    pause: () => standStill(child!.pid!),
    resume: () => child?.kill('SIGCONT'),
    kill,
    start,
    stop: async () => {
      await kill();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

export function minioClient({ port, accessKey, secretKey }: MinioAddress): Client {
  return new Client({ endPoint: '127.0.0.1', port, useSSL: false, accessKey, secretKey });
}

export function minioEnv({ port, accessKey, secretKey }: MinioAddress): Record<string, string> {
  return { MINIO_ENDPOINT: `127.0.0.1:${port}`, MINIO_ACCESS_KEY: accessKey, MINIO_SECRET_KEY: secretKey };
}

async function untilLive(endpoint: string, child: ChildProcess): Promise<void> {
  // The first start of a checkout may build the server.
  const deadline = Date.now() + 10 * 60_000;
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`the MinIO server ended with ${child.exitCode}`);
    const live = await fetch(`${endpoint}/minio/health/live`, { signal: AbortSignal.timeout(2000) }).catch(
      () => undefined,
    );
    if (live?.ok) return;
    await sleep(50);
  }
  throw new Error('the MinIO server does not come up');
}
