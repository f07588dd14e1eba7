import type { Socket } from 'node:net';
import { join } from 'node:path';
import { asRuntimeError, isRuntimeError } from '../../base/errors.ts';
import { orAborted } from '../../base/orAborted.ts';
import type { InstanceSpec } from '../../host/engine/engine.ts';
import { accepts } from './accepts.ts';
import { containerOf } from './containerOf.ts';
import { dialRelay, dialSocket } from './dialRelay.ts';
import { reachOf } from './egress.ts';
import { endedWithin } from './endSession.ts';
import { forwardSocket } from './forward.ts';
import { SOCKETS } from './generations.ts';
import type { HostedPlugin, StartPluginRequest } from './messages.ts';
import { type LocalRelay, localRelays } from './pluginEnvironment.ts';
import type { Provider } from './provider.ts';
import { asRpcError, fitMessage, RpcError } from './rpcError.ts';
import { enter, type Session } from './session.ts';
import { watchPlugin } from './watchPlugin.ts';

/** How often it is asked whether the plugin accepts, milliseconds. */
const POLL_MS = 10;
/** What a plugin that fails has printed reaches the log host within this, milliseconds: gestaltd shows it with the error. */
const FLUSH_MS = 3000;
/** What is left of the output of a plugin that has ended is read within this, milliseconds. */
const READ_MS = 10_000;
/** An engine that hangs keeps nobody from hearing of the error. */
const END_MS = 5000;

/**
 * Makes and starts the session's container with exactly this command, arguments and environment; resolves once the plugin accepts
 * gRPC. Whatever goes wrong ends the session, whose output is in the log host before the error is told. Aborted by `cancelled`.
 */
export async function startPlugin(
  provider: Provider,
  request: StartPluginRequest,
  cancelled: AbortSignal,
): Promise<HostedPlugin> {
  const session = provider.sessions.get(request.sessionId);
  if (request.command.trim() === '') throw new RpcError('INVALID_ARGUMENT', 'the plugin has no command');
  if (request.workdir !== '' && !request.workdir.startsWith('/'))
    throw new RpcError('INVALID_ARGUMENT', `workdir ${JSON.stringify(request.workdir)} is not absolute`);
  if (session.hasPlugin)
    throw new RpcError('FAILED_PRECONDITION', `session ${session.id} has its plugin already`);
  if (session.state !== 'ready') {
    const why = session.message === '' ? '' : `: ${session.message}`;
    throw new RpcError('FAILED_PRECONDITION', `session ${session.id} is ${session.state}${why}`);
  }
  session.hasPlugin = true;
  const { ended } = session;
  const limit = provider.config.startTimeout * 1000;
  const late = AbortSignal.timeout(limit);
  const signal = AbortSignal.any([ended.signal, cancelled, late]);
  let isStarted = false;
  try {
    const relays = await openForwards(provider, session, request);
    const spec = containerOf(provider, session, request, relays);
    const starting = makeContainer(provider, session, spec, signal);
    session.starting = starting.catch(() => undefined);
    await orAborted(starting, signal);
    isStarted = true;
    void watchPlugin(provider, session);
    await untilAccepts(provider, session, signal);
    enter(session, 'running');
    const { id, pluginName } = session;
    return { id: `${id}-plugin`, sessionId: id, pluginName, dialTarget: `unix://${socketOf(session)}` };
  } catch (error) {
    const told = tell(session, error, { late, cancelled, limit, isStarted });
    // With all that it has printed, a list of sessions would be more than gestaltd takes in one message.
    enter(session, 'failed', 'start', fitMessage(told.message));
    await session.log.flush(FLUSH_MS);
    await endedWithin(provider, session, END_MS);
    throw told;
  }
}

/**
 * Once asked, the engine makes it whether or not anybody waits: so nobody gives up half-way, each step runs to its own limit, and
 * what has come of it can be removed.
 */
async function makeContainer(
  { engine, closing }: Provider,
  { container }: Session,
  spec: InstanceSpec,
  signal: AbortSignal,
): Promise<void> {
  await engine.create(spec, closing);
  signal.throwIfAborted();
  await engine.start(container, closing);
}

/** Where gestaltd dials the plugin. */
function socketOf({ folder }: Session): string {
  return join(folder, 'shared', 'plugin.sock');
}

/** Sockets in the session's shared folder: one for each host service that was bound, one for each relay of a policy. */
async function openForwards(
  provider: Provider,
  session: Session,
  request: StartPluginRequest,
): Promise<LocalRelay[]> {
  const shared = join(session.folder, 'shared');
  const keep = async (path: string, dial: () => Promise<Socket>) => {
    const forward = await forwardSocket(path, dial, (error) =>
      session.log.write(
        'runtime',
        `a connection out of the session failed: ${asRuntimeError(error).message}`,
      ),
    );
    session.ended.signal.addEventListener('abort', forward.close, { once: true });
  };
  let count = 0;
  for (const [name, target] of session.bindings) {
    const path = /^unix:\/\/(\/.+)$/.exec(target)?.[1];
    if (path === undefined) continue;
    const socket = `host-${count++}.sock`;
    await keep(join(shared, socket), () => dialSocket(path));
    session.bindings.set(name, socket);
  }
  const reach = reachOf(request);
  if (reach.type === 'open') return [];
  if (provider.relay === undefined) {
    throw new RpcError(
      'FAILED_PRECONDITION',
      'the policy of this plugin cannot be held: the relay is missing beside the executable',
    );
  }
  const relays = localRelays(reach.relays);
  for (const { host, port, localPort } of relays)
    await keep(join(shared, `relay-${localPort}.sock`), () => dialRelay({ host, port }, provider.proxy));
  return relays;
}

async function untilAccepts(
  { clock, engine }: Provider,
  session: Session,
  signal: AbortSignal,
): Promise<void> {
  const path = socketOf(session);
  for (let polls = 1; !(await accepts(path)); polls += 1) {
    signal.throwIfAborted();
    // The engine's events tell of an end; asked now and then, in case one was lost.
    if (polls % 100 === 0) {
      const isThere = await engine.inspect(session.container, signal).then(
        (seen) => seen?.state === 'running',
        // An engine that does not answer says nothing about the plugin.
        (error: unknown) => isRuntimeError(error, 'unavailable'),
      );
      if (!isThere) {
        // Who reads its output tells of its end, when all of it has been read.
        await clock.sleep(READ_MS, signal);
        throw new RpcError('INTERNAL', `the plugin ended before it accepted; ${lastOutput(session)}`);
      }
    }
    await clock.sleep(POLL_MS, signal);
  }
}

function lastOutput({ log }: Session): string {
  const output = log.tail();
  return output === '' ? 'it printed nothing' : `its last output:\n${output}`;
}

interface Attempt {
  readonly late: AbortSignal;
  readonly cancelled: AbortSignal;
  /** Milliseconds. */
  readonly limit: number;
  /** The container runs. */
  readonly isStarted: boolean;
}

function tell(session: Session, error: unknown, { late, cancelled, limit, isStarted }: Attempt): RpcError {
  const last = lastOutput(session);
  if (cancelled.aborted) return new RpcError('CANCELLED', 'the start was cancelled');
  if (session.state === 'failed' || session.state === 'stopped') {
    return new RpcError('INTERNAL', `the plugin ended before it accepted: ${session.message}; ${last}`);
  }
  if (late.aborted && !isStarted)
    return new RpcError('UNAVAILABLE', `the engine did not start the container within ${limit / 1000} s`);
  if (late.aborted) {
    return new RpcError(
      'DEADLINE_EXCEEDED',
      `the plugin does not accept at ${SOCKETS.join(' or ')} within ${limit / 1000} s; ${last}`,
    );
  }
  if (error instanceof RpcError) return error;
  const { message } = asRuntimeError(error);
  return asRpcError(error, `the plugin could not be started: ${message}; ${last}`);
}
