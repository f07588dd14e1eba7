import { connect, type Socket } from 'node:net';
import { timeoutError } from '../networkError.ts';

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
  take(signal: AbortSignal | undefined): Promise<Socket>;
  /** The request is over and the connection good for another one. One that is not is destroyed instead. */
  give(socket: Socket): void;
  close(): void;
}

const MAX_OPEN = 8;
const MAX_KEPT = 2;

export function openConnections({ host, port, connectMs, keepMs }: ConnectionsOptions): Connections {
  const open = new Set<Socket>();
  const kept: Socket[] = [];
  const waiting = new Set<() => void>();

  const next = () => {
    const [first] = waiting;
    first?.();
  };
  /** A kept connection has nothing more to say. */
  const drop = function (this: Socket) {
    this.destroy();
  };
  const openOne = (): Socket => {
    const socket = connect({ host, port, noDelay: true });
    open.add(socket);
    const late = setTimeout(
      () => socket.destroy(timeoutError(`no connection within ${connectMs} ms`)),
      connectMs,
    );
    socket.once('connect', () => clearTimeout(late));
    socket.on('error', () => undefined);
    socket.once('close', () => {
      clearTimeout(late);
      open.delete(socket);
      if (kept.includes(socket)) kept.splice(kept.indexOf(socket), 1);
      next();
    });
    return socket;
  };
  const reuse = (): Socket | undefined => {
    const socket = kept.pop();
    if (!socket) return undefined;
    socket.off('data', drop).off('timeout', drop);
    socket.ref();
    return socket;
  };

  return {
    async take(signal) {
      for (;;) {
        if (signal?.aborted) {
          // It may have been woken for a connection that is free now.
          next();
          throw signal.reason;
        }
        const socket = reuse() ?? (open.size < MAX_OPEN ? openOne() : undefined);
        if (socket) return socket;
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
    give(socket) {
      if (!open.has(socket) || socket.destroyed) return;
      if (kept.length >= MAX_KEPT && waiting.size === 0) {
        socket.destroy();
        return;
      }
      socket.on('data', drop).on('timeout', drop);
      socket.setTimeout(keepMs);
      socket.unref();
      socket.resume();
      kept.push(socket);
      next();
    },
    close() {
      for (const socket of open) socket.destroy();
    },
  };
}
