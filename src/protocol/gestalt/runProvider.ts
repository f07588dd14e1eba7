/**
 * `runtime provider gestalt`: a runtime provider for gestaltd, started by it. gRPC on the Unix socket that it names; a session is a
 * container of the Docker Engine.
 *
 * A session's life: StartSession (`startSession`: the image is pulled) → StartPlugin (`startPlugin`: what the plugin may reach, its
 * environment, its container; ready means that it accepts) → its output and its end (`watchPlugin`) → StopSession (`endSession`).
 * Everything carries this instance's name: others' containers are touched only when their maker is provably dead (`owner`).
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { asRuntimeError, RuntimeError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { Server, ServerCredentials } from '../../base/parts/grpc.ts';
import type { Engine } from '../../host/engine/engine.ts';
import { endSession } from './endSession.ts';
import {
  firstOf,
  HOST_SERVICE_TOKEN,
  LOG_SOCKETS,
  NAMES,
  PARENT_PIDS,
  RUNTIME_SERVICES,
  SOCKETS,
} from './generations.ts';
import { providerLifecycle, runtimeProvider } from './handlers.ts';
import { connectLogHost } from './logHost.ts';
import { ownLabel } from './owner.ts';
import type { Provider } from './provider.ts';
import { parseProviderConfig } from './providerConfig.ts';
import { RpcError } from './rpcError.ts';
import { loadServices } from './services.ts';
import { Sessions } from './sessions.ts';
import { structToObject } from './struct.ts';

export interface RunProviderOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  /** Opens the engine as this instance; `address` undefined: DOCKER_HOST, or the usual socket. */
  readonly openEngine: (instance: string, address: string | undefined, network: string) => Promise<Engine>;
  /** Removes what instances that are provably dead have left. */
  readonly reap: (address: string | undefined) => Promise<void>;
  /** Where the session helper lies when it is there. */
  readonly relay: string;
  readonly parentPid: () => number;
  readonly clock: Clock;
  readonly log: Logger;
  /** SIGTERM and SIGINT. */
  readonly stop: AbortSignal;
}

/** gestaltd waits for 2 s between SIGTERM and SIGKILL, milliseconds. */
const END_MS = 1700;
const PARENT_POLL_MS = 500;
const LONGEST_PAUSE_MS = 30_000;

/** Serves until it is told to stop or gestaltd is gone; nothing of its sessions is left then. Resolves with the exit code. */
export async function runProvider(options: RunProviderOptions): Promise<number> {
  const { env, clock, log } = options;
  const socket = firstOf(env, SOCKETS);
  if (socket === undefined) {
    throw new RuntimeError('config', `${SOCKETS.join(', ')}: none is set; gestaltd starts this command`, {
      hint: 'scripts/release-gestalt makes the package that gestaltd loads; see docs/gestalt.md.',
    });
  }
  const life = randomBytes(6).toString('hex');
  const folder = join(dirname(socket), `sessions-${life}`);
  const services = loadServices();
  const logSocket = /^(?:unix:(?:\/\/)?)?(\/.+)$/.exec(firstOf(env, LOG_SOCKETS) ?? '')?.[1];
  const token = env[HOST_SERVICE_TOKEN] || undefined;
  const logHost = logSocket ? connectLogHost({ socket: logSocket, token }, services) : undefined;
  const closing = new AbortController();
  let provider: Provider | undefined;

  const configure = async (given: unknown) => {
    if (provider) throw new RpcError('FAILED_PRECONDITION', 'the provider is configured already');
    const config = parseProviderConfig(structToObject(given));
    const engine = await options.openEngine(`gestalt-${life}`, config.engine, config.network);
    mkdirSync(folder, { recursive: true, mode: 0o711 });
    provider = {
      config,
      engine,
      sessions: new Sessions(),
      logHost,
      folder,
      relay: existsSync(options.relay) ? options.relay : undefined,
      proxy: env.HTTP_PROXY || env.HTTPS_PROXY || undefined,
      life,
      owner: ownLabel(),
      closing: closing.signal,
      clock,
      log,
    };
    if (provider.relay === undefined)
      log.warn('the session helper is missing: no egress policy can be held', { path: options.relay });
    void reap(options, config.engine, closing.signal);
  };
  const configured = (): Provider => {
    if (provider) return provider;
    throw new RpcError('FAILED_PRECONDITION', 'the provider is not configured yet');
  };

  const server = new Server();
  const identity = { name: firstOf(env, NAMES) ?? 'runtime', version: options.version };
  server.addService(services.ProviderLifecycle, providerLifecycle(identity, configure));
  for (const name of RUNTIME_SERVICES) server.addService(services[name], runtimeProvider(configured));
  await listen(server, socket);
  log.info('serving gestaltd', { socket });

  await ended(options);
  await end(provider, clock);
  closing.abort();
  server.forceShutdown();
  rmSync(folder, { recursive: true, force: true });
  rmSync(socket, { force: true });
  return 0;
}

async function listen(server: Server, socket: string): Promise<void> {
  // Of an earlier process under the same name.
  rmSync(socket, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) =>
      error ? reject(error) : resolve(),
    );
  });
}

/** Told to stop, or gestaltd is no longer our parent: it was killed. */
async function ended({ env, parentPid, clock, stop }: RunProviderOptions): Promise<void> {
  const parent = Number(firstOf(env, PARENT_PIDS));
  while (!stop.aborted) {
    if (Number.isInteger(parent) && parent > 0 && parentPid() !== parent) return;
    await clock.sleep(PARENT_POLL_MS, stop).catch(() => undefined);
  }
}

/** Tried again until it is done: the engine may be away, or still starting. */
async function reap(
  { reap, clock, log }: RunProviderOptions,
  engine: string | undefined,
  signal: AbortSignal,
) {
  for (let pause = PARENT_POLL_MS; !signal.aborted; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    try {
      return await reap(engine);
    } catch (error) {
      const reason = asRuntimeError(error).message;
      if (pause === PARENT_POLL_MS) log.warn('what earlier providers left is not removed yet', { reason });
      await clock.sleep(pause, signal).catch(() => undefined);
    }
  }
}

async function end(provider: Provider | undefined, clock: Clock): Promise<void> {
  if (!provider) return;
  const late = new AbortController();
  const over = clock.sleep(END_MS, late.signal).catch(() => undefined);
  await Promise.race([
    Promise.all(provider.sessions.all().map((session) => endSession(provider, session))),
    over,
  ]);
  late.abort();
  await provider.engine.close();
}
