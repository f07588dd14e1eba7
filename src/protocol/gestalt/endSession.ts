import { rmSync } from 'node:fs';
import { asRuntimeError } from '../../base/errors.ts';
import type { Provider } from './provider.ts';
import { enter, type Session } from './session.ts';

const RETRY_MS = 500;
const LONGEST_RETRY_MS = 30_000;

/**
 * Kills and removes a session's container and its folder, once for all who ask: tried until it is done, since an engine that hangs
 * now answers later. Never rejects; who must answer soon waits with a limit of its own (`endedWithin`).
 */
export function endSession(provider: Provider, session: Session): Promise<void> {
  session.ending ??= remove(provider, session);
  return session.ending;
}

/** Resolves when the session is gone, or after `ms`: then the rest is done in the background. */
export async function endedWithin(provider: Provider, session: Session, ms: number): Promise<void> {
  const late = new AbortController();
  const over = provider.clock.sleep(ms, late.signal).catch(() => undefined);
  await Promise.race([endSession(provider, session), over]);
  late.abort();
}

async function remove(provider: Provider, session: Session): Promise<void> {
  const { log, clock, closing } = provider;
  enter(session, 'stopped', 'stopped', '');
  session.ended.abort();
  for (let pause = RETRY_MS; !closing.aborted; pause = Math.min(2 * pause, LONGEST_RETRY_MS)) {
    try {
      await removeContainer(provider, session);
      // The engine does what it has been asked, whether or not anybody waits for its answer: looked for once more after it.
      if (session.starting !== undefined) {
        await session.starting;
        await removeContainer(provider, session);
      }
      break;
    } catch (error) {
      const reason = asRuntimeError(error).message;
      if (pause === RETRY_MS)
        log.warn('the container of a session is left for now', { session: session.id, reason });
      await clock.sleep(pause, closing).catch(() => undefined);
    }
  }
  try {
    rmSync(session.folder, { recursive: true, force: true });
  } catch (error) {
    // What the plugin has made there may be another user's.
    log.warn('the folder of a session is left', {
      session: session.id,
      reason: asRuntimeError(error).message,
    });
  }
  session.log.finish();
}

async function removeContainer({ engine, closing }: Provider, { container }: Session): Promise<void> {
  await engine.kill(container, closing);
  await engine.remove(container, closing);
}
