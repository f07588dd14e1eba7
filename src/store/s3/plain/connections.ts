import { timeoutError } from '../networkError.ts';
import { type Connection, openConnection } from './connection.ts';

export interface ConnectionsOptions {
  readonly host: string;
  readonly port: number;
  /** Milliseconds. */
  readonly connectMs: number;
  /** How long a connection is kept for the next request, milliseconds. */
  readonly keepMs: number;
}

/** Connections to one store, each for one request at a time. */
export interface Connections {
  /** One that is kept, or a new one that may still be connecting; waits where there are too many. Rejects with the signal's reason. */
  take(signal: AbortSignal | undefined): Promise<Connection>;
  /** The request is over and the connection good for another one. One that is not is destroyed instead. */
  give(connection: Connection): void;
  /** One of them has said nothing: those that are kept are as old, and are not used again either. */
  distrust(): void;
  close(): void;
}

const MAX_OPEN = 8;
const MAX_KEPT = 2;

export function openConnections({ host, port, connectMs, keepMs }: ConnectionsOptions): Connections {
  const open = new Set<Connection>();
  const kept: Connection[] = [];
  const waiting = new Set<() => void>();

  const next = () => {
    const [first] = waiting;
    first?.();
  };
  const drop = function (this: Connection['socket']) {
    this.destroy();
  };
  const openOne = (): Connection => {
    const connection = openConnection(host, port);
    const { socket } = connection;
    open.add(connection);
    const late = setTimeout(
      () => socket.destroy(timeoutError(`no connection within ${connectMs} ms`)),
      connectMs,
    );
    socket.once('connect', () => clearTimeout(late));
    socket.on('error', () => undefined);
    socket.once('close', () => {
      clearTimeout(late);
      open.delete(connection);
      if (kept.includes(connection)) kept.splice(kept.indexOf(connection), 1);
      next();
    });
    return connection;
  };
  const reuse = (): Connection | undefined => {
    const connection = kept.pop();
    connection?.socket.off('timeout', drop).ref();
    return connection;
  };

  return {
    async take(signal) {
      for (;;) {
        if (signal?.aborted) {
          // It may have been woken for a connection that is free now.
          next();
          throw signal.reason;
        }
        const connection = reuse() ?? (open.size < MAX_OPEN ? openOne() : undefined);
        if (connection) return connection;
        await new Promise<void>((resolve) => {
          const wake = () => {
            waiting.delete(wake);
            signal?.removeEventListener('abort', wake);
            resolve();
          };
          waiting.add(wake);
          signal?.addEventListener('abort', wake);
        });
      }
    },
    give(connection) {
      const { socket } = connection;
      if (!open.has(connection) || socket.destroyed) return;
      if (kept.length >= MAX_KEPT && waiting.size === 0) {
        socket.destroy();
        return;
      }
      socket.on('timeout', drop);
      socket.setTimeout(keepMs);
      socket.unref();
      socket.resume();
      connection.isUsed = true;
      kept.push(connection);
      next();
    },
    distrust() {
      for (const { socket } of kept.splice(0)) socket.destroy();
    },
    close() {
      for (const { socket } of open) socket.destroy();
    },
  };
}
