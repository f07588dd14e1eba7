import type { Client } from '@grpc/grpc-js';
import { credentials, Client as GrpcClient, Metadata, status } from '../../base/parts/grpc.ts';
import { LOG_HOSTS } from './generations.ts';
import type { LogEntry, Timestamp } from './messages.ts';
import { type loadServices, PACKAGE } from './services.ts';

/** Where sessions' output goes: gestaltd's own store of logs. */
export interface LogHost {
  /** Throws `unregistered` as a `LogHostError` until gestaltd has taken the session's id in, and after it has let go of it. */
  append(session: string, entries: readonly LogEntry[]): Promise<void>;
  close(): void;
}

export class LogHostError extends Error {
  readonly isUnregistered: boolean;

  constructor(message: string, isUnregistered: boolean) {
    super(message);
    this.isUnregistered = isUnregistered;
  }
}

const CALL_MS = 5000;

export interface LogHostAddress {
  /** A Unix path. */
  readonly socket: string;
  /** What gestaltd's services want to see, where they do. */
  readonly token: string | undefined;
}

/** A gestaltd that has no log host takes nothing in; what is written is then dropped, and nobody waits. */
export function connectLogHost(
  { socket, token }: LogHostAddress,
  services: ReturnType<typeof loadServices>,
): LogHost {
  const method = services.PluginRuntimeLogHost.AppendLogs!;
  const client: Client = new GrpcClient(`unix:${socket}`, credentials.createInsecure(), {
    'grpc.default_authority': 'localhost',
    // The library's own pauses grow to minutes, in which nothing would be sent.
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 2000,
  });
  const metadata = new Metadata();
  if (token !== undefined) metadata.set('x-gestalt-host-service-relay-token', token);
  const appendTo = (host: string, request: object) =>
    new Promise<'taken' | 'unknown'>((resolve, reject) => {
      client.makeUnaryRequest(
        `/${PACKAGE}.${host}/AppendLogs`,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        metadata,
        { deadline: Date.now() + CALL_MS },
        (error) => {
          if (!error) resolve('taken');
          else if (error.code === status.UNIMPLEMENTED) resolve('unknown');
          else reject(new LogHostError(error.details, error.code === status.NOT_FOUND));
        },
      );
    });
  let names: readonly string[] = LOG_HOSTS;
  return {
    append: async (sessionId, logs) => {
      for (const name of names) {
        if ((await appendTo(name, { sessionId, logs })) === 'unknown') continue;
        names = [name];
        return;
      }
      names = [];
    },
    close: () => client.close(),
  };
}

export function timestamp(milliseconds: number): Timestamp {
  const seconds = Math.floor(milliseconds / 1000);
  return { seconds, nanos: Math.round((milliseconds - seconds * 1000) * 1e6) };
}
