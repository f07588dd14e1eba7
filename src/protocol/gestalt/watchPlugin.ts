import { asRuntimeError, isRuntimeError } from '../../base/errors.ts';
import type { Engine, Instance } from '../../host/engine/engine.ts';
import { endSession } from './endSession.ts';
import { lineCutter } from './lines.ts';
import type { Provider } from './provider.ts';
import { enter, type Session } from './session.ts';

const RETRY_MS = 200;

/**
 * From the start of a plugin on: its output goes to the log host line by line, and its end becomes the session's. Resolves when the
 * session has ended.
 */
export async function watchPlugin(provider: Provider, session: Session): Promise<void> {
  const { engine, clock, log } = provider;
  const { signal } = session.ended;
  const cut = {
    stdout: lineCutter((line) => session.log.write('stdout', line)),
    stderr: lineCutter((line) => session.log.write('stderr', line)),
  };
  let copied = 0;
  let isAway = false;
  // Always from the beginning, past what has been sent: no line is lost, none is sent twice.
  const copy = async (follow: boolean) => {
    let seen = 0;
    for await (const { stream, bytes } of engine.logs(
      session.container,
      { tail: undefined, follow },
      signal,
    )) {
      const from = Math.max(0, Math.min(bytes.length, copied - seen));
      seen += bytes.length;
      if (from < bytes.length) cut[stream].push(bytes.subarray(from));
      copied = Math.max(copied, seen);
      isAway = false;
      // What the log host has not taken stays with the engine: it keeps more than we would.
      await session.log.room(signal);
    }
  };
  while (!signal.aborted) {
    try {
      await copy(true);
      const instance = await engine.inspect(session.container, signal);
      if (instance === undefined || instance.state === 'ended' || instance.state === 'leaving') {
        // An engine that is followed slowly ends with the container, and does not tell the rest.
        if (instance !== undefined) await copy(false);
        for (const cutter of Object.values(cut)) cutter.end();
        const { state, reason, message } = endOf(instance);
        enter(session, state, reason, message);
        // Its state stays to be asked for; its container has nothing more to tell.
        await endSession(provider, session);
        return;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (isRuntimeError(error, 'not-found') && (await isGone(engine, session, signal))) {
        enter(session, 'failed', 'removed', GONE);
        return await endSession(provider, session);
      }
      // The engine is away: what it says when it is back counts; until then the last known state is told.
      const reason = asRuntimeError(error).message;
      if (!isAway) log.warn('a session cannot be watched at the moment', { session: session.id, reason });
      isAway = true;
    }
    await clock.sleep(RETRY_MS, signal).catch(() => undefined);
  }
}

const GONE = 'the container is gone';

/** Only an engine that answers can say so. */
async function isGone(engine: Engine, { container }: Session, signal: AbortSignal): Promise<boolean> {
  return await engine.inspect(container, signal).then(
    (instance) => instance === undefined,
    () => false,
  );
}

function endOf(instance: Instance | undefined): {
  state: 'failed' | 'stopped';
  reason: string;
  message: string;
} {
  if (instance === undefined) return { state: 'failed', reason: 'removed', message: GONE };
  const { exitCode, outOfMemory, error } = instance;
  if (outOfMemory)
    return {
      state: 'failed',
      reason: 'oom',
      message: 'out of memory: the plugin used more than config.memory allows',
    };
  if (error !== undefined && error !== '')
    return { state: 'failed', reason: 'start', message: `the engine could not start it: ${error}` };
  if (exitCode === undefined)
    return { state: 'failed', reason: 'lost', message: 'the engine lost the container' };
  return {
    state: exitCode === 0 ? 'stopped' : 'failed',
    reason: 'exited',
    message: `the plugin exited with code ${exitCode}`,
  };
}
