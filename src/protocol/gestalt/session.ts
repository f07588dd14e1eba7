import type { Secret } from '../../base/secret.ts';
import type { ImageFacts } from '../../host/engine/engine.ts';
import { timestamp } from './logHost.ts';
import type { SessionMessage, SessionState } from './messages.ts';
import type { SessionLog } from './sessionLog.ts';

/** One session: at first only a place for a container, then the container of its plugin. */
export interface Session {
  /** Unique for ever: gestaltd keys logs and relays by it. */
  readonly id: string;
  readonly pluginName: string;
  readonly image: string;
  readonly pullAuth: Secret | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  /** Milliseconds. */
  readonly startedAt: number;
  readonly log: SessionLog;
  /** The session's own folder on this machine; `shared` in it is `/run/gestalt` inside. */
  readonly folder: string;
  /** The container's name in the engine. */
  readonly container: string;
  /** Aborted when the session ends, for whatever reason. */
  readonly ended: AbortController;
  state: SessionState;
  /** One word. */
  reason: string;
  /** One sentence. */
  message: string;
  /** Once it has been pulled. */
  imageFacts: ImageFacts | undefined;
  /** A second one is refused. */
  hasPlugin: boolean;
  /** The making of its container: the engine may still do what it was asked after we have given up. Never rejects. */
  starting: Promise<void> | undefined;
  /** gestaltd has stopped it: it is not listed any more. */
  isReleased: boolean;
  /** Sockets of host services by the variable that names them: paths on this machine, or what is passed on as it is. */
  readonly bindings: Map<string, string>;
  /** Its removal, once that has begun. */
  ending: Promise<void> | undefined;
  readonly workspaces: Map<
    string,
    { readonly spec: unknown; readonly answer: Promise<{ root: string; cwd: string }> }
  >;
}

/** Final states stay: the first reason is the true one. */
export function enter(session: Session, state: SessionState, reason = '', message = ''): void {
  if (session.state === 'failed' || session.state === 'stopped') return;
  Object.assign(session, { state, reason, message });
  if (message !== '') session.log.write('runtime', message);
}

export function toMessage(session: Session): SessionMessage {
  const image = session.imageFacts?.id;
  return {
    id: session.id,
    state: session.state,
    metadata: {
      ...session.metadata,
      // The operator's list shows it as the plugin's name.
      plugin: session.pluginName,
      ...(image === undefined ? {} : { 'runtime.actualImage': image, 'runtime.currentImage': image }),
    },
    lifecycle: { startedAt: timestamp(session.startedAt) },
    stateReason: session.reason,
    stateMessage: session.message,
  };
}
