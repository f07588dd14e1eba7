import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { BotView } from '../../../src/host/api/hostApi.ts';
import type { HostEvent } from '../../../src/host/journal/event.ts';
import { endChild } from '../process/endChild.ts';
import { freePort } from '../process/freePort.ts';
import type { Minio, MinioAddress } from '../store/minio.ts';
import { removeHost } from './testDocker.ts';

const runtime = join(import.meta.dirname, '../../../dist/runtime');
const execute = promisify(execFile);

/** The real executable as a host, on the real engine, in folders of its own. */
export interface RealHost extends AsyncDisposable {
  readonly bots: string;
  readonly data: string;
  readonly socket: string;
  readonly queryPort: number;
  readonly healthPort: number;
  readonly pid: number;
  start(more?: Record<string, string>): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with its exit code. */
  stop(): Promise<number | null>;
  /** Writes files below the folder of bots. */
  write(files: Record<string, string>): void;
  /** `runtime bots …`; throws what it says on stderr. */
  cli(...args: string[]): Promise<string>;
  list(): Promise<BotView[]>;
  events(): Promise<HostEvent[]>;
  log(): string;
}

export async function realHost(options: {
  image: string;
  minio: MinioAddress & Pick<Minio, 'client'>;
  env?: Record<string, string>;
  /** Where its data folder is, where it is not beside the bots. */
  data?: string;
  /** Put before its command line: where its network is another one. */
  enter?: readonly string[];
  /** Removes what it has made; default: its containers. */
  cleanUp?: () => Promise<void>;
}): Promise<RealHost> {
  const root = mkdtempSync(join(tmpdir(), 'host-'));
  const [queryPort, healthPort] = [await freePort(), await freePort()];
  const [bots, socket, logFile] = ['bots', 'host.sock', 'log'].map((name) => join(root, name)) as [
    string,
    string,
    string,
  ];
  const data = options.data ?? join(root, 'data');
  mkdirSync(bots);
  const { minio } = options;
  await minio.client.makeBucket('custom-bots').catch(() => undefined);
  const env = {
    PATH: process.env.PATH,
    MINIO_ENDPOINT: minio.endpoint,
    MINIO_ACCESS_KEY: minio.accessKey,
    MINIO_SECRET_KEY: minio.secretKey,
    RUNTIME_HOST_BOTS: `dir:${bots}`,
    RUNTIME_HOST_DATA: data,
    RUNTIME_HOST_SOCKET: socket,
    RUNTIME_HOST_QUERY_PORT: String(queryPort),
    RUNTIME_HOST_HEALTH_PORT: String(healthPort),
    RUNTIME_HOST_SECRETS: join(root, 'secrets'),
    RUNTIME_IMAGE: options.image,
    ...options.env,
  };
  let child: ChildProcess | undefined;

  const cli = async (...args: string[]) => {
    const { stdout } = await execute(runtime, ['bots', ...args], { env, maxBuffer: 64 * 2 ** 20 });
    return stdout;
  };

  return {
    bots,
    data,
    socket,
    queryPort,
    healthPort,
    get pid() {
      return child?.pid ?? -1;
    },
    start: async (more = {}) => {
      const out = openSync(logFile, 'a');
      const [program = runtime, ...args] = [...(options.enter ?? []), runtime, 'host'];
      child = spawn(program, args, { env: { ...env, ...more }, stdio: ['ignore', out, out] });
      await once(child, 'spawn');
    },
    kill: async () => void (await endChild(child, 'SIGKILL')),
    stop: () => endChild(child, 'SIGTERM'),
    write: (files) => {
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(dirname(join(bots, path)), { recursive: true });
        writeFileSync(join(bots, path), text);
      }
    },
    cli,
    list: async () => JSON.parse(await cli('ls', '--json')) as BotView[],
    events: async () =>
      (await cli('events', '--json', '--limit', '100000'))
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as HostEvent),
    log: () => readFileSync(logFile, 'utf8'),
    [Symbol.asyncDispose]: async () => {
      await endChild(child, 'SIGKILL');
      const removeOwn = () => removeHost(readFileSync(join(data, 'host-id'), 'utf8').trim());
      await (options.cleanUp ?? removeOwn)();
      await rm(root, { recursive: true, force: true });
    },
  };
}
