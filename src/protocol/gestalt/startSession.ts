import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { asRuntimeError } from '../../base/errors.ts';
import { Secret } from '../../base/secret.ts';
import type { StartSessionRequest } from './messages.ts';
import type { Provider } from './provider.ts';
import type { ProviderConfig } from './providerConfig.ts';
import { pullAuth } from './pullAuth.ts';
import { RpcError } from './rpcError.ts';
import { enter, type Session } from './session.ts';
import { openSessionLog } from './sessionLog.ts';

/** How long an engine that does not answer is waited for, and between two looks, milliseconds. */
const ENGINE_AWAY_MS = 60_000;
const RETRY_MS = 1000;

/**
 * A session begins with its image: pulled while it is `pending`, told step by step in its log, `ready` once it is here. The
 * container is made when the plugin's command is known. Throws INVALID_ARGUMENT; what goes wrong later is the session's state.
 */
export function startSession(provider: Provider, request: StartSessionRequest): Session {
  const { sessions, config, clock, life } = provider;
  const image = imageOf(config, request);
  const auth = pullAuth(image, request.imagePullAuth?.dockerConfigJson);
  const id = `${life}-${sessions.nextNumber()}`;
  const folder = join(provider.folder, id);
  const session: Session = {
    id,
    pluginName: request.pluginName,
    image,
    pullAuth: auth === undefined ? undefined : new Secret(auth),
    metadata: request.metadata,
    startedAt: clock.now(),
    log: openSessionLog(id, provider.logHost, clock),
    folder,
    container: `rtg-${id}`,
    ended: new AbortController(),
    state: 'pending',
    reason: '',
    message: '',
    imageFacts: undefined,
    hasPlugin: false,
    starting: undefined,
    isReleased: false,
    bindings: new Map(),
    ending: undefined,
    workspaces: new Map(),
  };
  const shared = join(folder, 'shared');
  mkdirSync(shared, { recursive: true });
  // The plugin makes its socket there, as whatever user the image has. Nobody else gets as far as here: gestaltd's folder is its own.
  chmodSync(shared, 0o1777);
  sessions.add(session);
  void pull(provider, session);
  return session;
}

function imageOf({ templates, image }: ProviderConfig, request: StartSessionRequest): string {
  const named = request.image.trim();
  if (named !== '') return named;
  const template = request.template.trim();
  if (template !== '') {
    const found = Object.hasOwn(templates, template) ? templates[template] : undefined;
    if (found) return found.image;
    const known = Object.keys(templates).join(', ') || 'none';
    throw new RpcError(
      'INVALID_ARGUMENT',
      `there is no template ${JSON.stringify(template)} in config.templates; known: ${known}`,
    );
  }
  if (image !== undefined) return image;
  throw new RpcError(
    'INVALID_ARGUMENT',
    'the plugin names no runtime.image and no runtime.template, and config.image is not set',
  );
}

async function pull({ engine, clock }: Provider, session: Session): Promise<void> {
  const { log, ended, image, pullAuth, startedAt } = session;
  while (!ended.signal.aborted) {
    try {
      session.imageFacts = await engine.image(image, ended.signal, {
        auth: pullAuth,
        onProgress: (line) => log.write('runtime', `${image}: ${line}`),
      });
      return enter(session, 'ready');
    } catch (error) {
      if (ended.signal.aborted) return;
      const { message, hint, code, op } = asRuntimeError(error);
      // gestaltd gives up a plugin whose session fails, for good: an engine that is just starting, or busy, is waited for.
      const isAway =
        code === 'unavailable' && op !== 'engine.pull' && clock.now() - startedAt < ENGINE_AWAY_MS;
      if (!isAway) {
        enter(session, 'failed', 'image', hint === undefined ? message : `${message}. ${hint}`);
        ended.abort();
        return;
      }
      log.write('runtime', `${message}; it is tried again`);
      await clock.sleep(RETRY_MS, ended.signal).catch(() => undefined);
    }
  }
}
