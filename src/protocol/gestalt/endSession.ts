import { rmSync } from 'node:fs';
import { asRuntimeError } from '../../base/errors.ts';
import type { Provider } from './provider.ts';
import { enter, type Session } from './session.ts';

/** Kills and removes a session's container and its folder, once for all who ask. What cannot be removed is told in our own log. */
export function endSession(provider: Provider, session: Session): Promise<void> {
  session.ending ??= remove(provider, session);
  return session.ending;
}

async function remove({ engine, log }: Provider, session: Session): Promise<void> {
  const { signal } = new AbortController();
  enter(session, 'stopped', 'stopped', '');
  session.ended.abort();
  try {
    await engine.kill(session.container, signal);
    await engine.remove(session.container, signal);
  } catch (error) {
    log.warn('the container of a session is left', {
      session: session.id,
      reason: asRuntimeError(error).message,
    });
  }
  rmSync(session.folder, { recursive: true, force: true });
}
