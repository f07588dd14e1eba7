import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { executable } from '../process/executable.ts';

const root = join(import.meta.dirname, '../../..');
const execute = promisify(execFile);

export interface Failure {
  readonly code: string;
  readonly message: string;
}

export interface Logged {
  readonly stream: string;
  readonly message: string;
  readonly sourceSeq: string;
}

/** A provider as gestaltd starts it, and a stand-in for gestaltd that speaks to it by Python's grpcio. */
export interface TestGestaltd {
  readonly provider: ChildProcess;
  /** gestaltd's folder, with the sockets. */
  readonly dir: string;
  /** What the provider itself has printed. */
  printed(): string;
  /** Rejects with `Failure`. */
  call<T = Record<string, unknown>>(
    method: string,
    request?: object,
    options?: { service?: string; timeout?: number },
  ): Promise<T>;
  /** Lets the log host know a session: it refuses those that it does not know. */
  register(session: string): void;
  logs(session: string): readonly Logged[];
  /** Whether the log host takes nothing for now. */
  away(isAway: boolean): void;
  /** Configures the provider. */
  configure(config?: object): Promise<void>;
  /** SIGTERM, and milliseconds until it has ended. */
  stop(): Promise<number>;
}

export interface GestaltdOptions {
  /** A later gestaltd: the version of the published SDK whose services and messages it speaks, and the provider's service there. */
  readonly sdk?: { readonly version: string; readonly service: string; readonly protocol: number };
  /** Instead of the built executable's; `{dir}` is the folder of the sockets. */
  readonly argv?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export async function startGestaltd(options: GestaltdOptions = {}): Promise<TestGestaltd> {
  const { stdout } = await execute(join(root, 'scripts/gestalt-parts'), ['client']);
  const python = stdout.trim();
  const dir = await mkdtemp(join(tmpdir(), 'gstp-'));
  const [socket, logs] = [join(dir, 'plugin.sock'), join(dir, 'logs.sock')];
  const { argv = [executable, 'provider', 'gestalt'], sdk } = options;
  const [program = '', ...args] = argv.map((word) => (word === '{dir}' ? dir : word));
  const provider = spawn(program, args, {
    env: {
      PATH: process.env.PATH,
      TMPDIR: dir,
      ...options.env,
      ...(sdk === undefined
        ? {
            GESTALT_PLUGIN_SOCKET: socket,
            GESTALT_PLUGIN_PARENT_PID: String(process.pid),
            GESTALT_PLUGIN_NAME: 'box',
            GESTALT_RUNTIME_LOG_SOCKET: logs,
          }
        : {
            GESTALT_PROVIDER_SOCKET: socket,
            GESTALT_APP_PARENT_PID: String(process.pid),
            GESTALT_APP_NAME: 'box',
            GESTALT_HOST_SERVICE_SOCKET: logs,
          }),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  for (const stream of [provider.stdout, provider.stderr]) stream.on('data', (bytes) => (printed += bytes));
  const ended = new Promise<void>((resolve) => provider.once('exit', () => resolve()));
  const proto =
    sdk === undefined
      ? join(root, 'src/protocol/gestalt/provider.proto')
      : (await execute(join(root, 'scripts/gestalt-parts'), ['messages', sdk.version])).stdout.trim();
  const client = spawn(python, [join(root, 'test/fixtures/gestalt/gestaltd.py'), proto, socket, logs], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(async () => {
    provider.kill('SIGTERM');
    await ended;
    client.kill('SIGKILL');
    await rm(dir, { recursive: true, force: true });
  });
  const waiting = new Map<number, { resolve(value: never): void; reject(error: Failure): void }>();
  const logged = new Map<string, Logged[]>();
  const ready = Promise.withResolvers<void>();
  createInterface({ input: client.stdout }).on('line', (line) => {
    const told = JSON.parse(line) as {
      id: number;
      answer: never;
      error?: Failure;
      ready?: true;
      logs?: string;
      entries: Logged[];
    };
    if (told.ready) ready.resolve();
    else if (told.logs !== undefined)
      logged.set(told.logs, [...(logged.get(told.logs) ?? []), ...told.entries]);
    else if (told.error) waiting.get(told.id)?.reject(told.error);
    else waiting.get(told.id)?.resolve(told.answer);
  });
  client.once('exit', () => ready.reject(new Error(`the client ended; the provider said: ${printed}`)));
  await ready.promise;
  let count = 0;
  const call: TestGestaltd['call'] = (
    method,
    request = {},
    { service = sdk?.service ?? 'PluginRuntimeProvider', timeout = 60 } = {},
  ) => {
    const id = ++count;
    client.stdin.write(`${JSON.stringify({ id, service, method, request, timeout })}\n`);
    return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
  };
  return {
    provider,
    dir,
    printed: () => printed,
    call,
    register: (session) => void client.stdin.write(`${JSON.stringify({ register: session })}\n`),
    away: (isAway) => void client.stdin.write(`${JSON.stringify({ away: isAway })}\n`),
    logs: (session) => logged.get(session) ?? [],
    configure: async (config = {}) => {
      await call(
        'ConfigureProvider',
        { name: 'box', config, protocolVersion: sdk?.protocol ?? 3 },
        { service: 'ProviderLifecycle' },
      );
    },
    stop: async () => {
      const from = performance.now();
      provider.kill('SIGTERM');
      await ended;
      return performance.now() - from;
    },
  };
}

/** An image with a plugin of the published SDK. */
export async function pluginImage(): Promise<string> {
  const tag = 'runtime-test-gestalt:plugin';
  await execute(join(root, 'scripts/gestalt-parts'), ['image', tag]);
  return tag;
}

/** Beside the executable, where the provider looks for it. */
export async function sessionRelay(): Promise<void> {
  await execute(join(root, 'scripts/gestalt-parts'), ['relay', join(root, 'dist/session-relay')]);
}
