import type { Client } from '@grpc/grpc-js';
import { credentials, Client as GrpcClient, status } from '../../base/parts/grpc.ts';
import type { LogEntry, Timestamp } from './messages.ts';
import type { loadServices } from './services.ts';

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

/** `socket`: the Unix path that gestaltd names in GESTALT_RUNTIME_LOG_SOCKET. */
export function connectLogHost(socket: string, services: ReturnType<typeof loadServices>): LogHost {
  const method = services.PluginRuntimeLogHost.AppendLogs!;
  const client: Client = new GrpcClient(`unix:${socket}`, credentials.createInsecure(), {
    'grpc.default_authority': 'localhost',
    // The library's own pauses grow to minutes, in which nothing would be sent.
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 2000,
  });
  return {
    append: (sessionId, logs) =>
      new Promise((resolve, reject) => {
        client.makeUnaryRequest(
          method.path,
          method.requestSerialize,
          method.responseDeserialize,
          { sessionId, logs },
          { deadline: Date.now() + CALL_MS },
          (error) => {
            if (error) reject(new LogHostError(error.details, error.code === status.NOT_FOUND));
            else resolve();
          },
        );
      }),
    close: () => client.close(),
  };
}

export function timestamp(milliseconds: number): Timestamp {
  const seconds = Math.floor(milliseconds / 1000);
  return { seconds, nanos: Math.round((milliseconds - seconds * 1000) * 1e6) };
}
