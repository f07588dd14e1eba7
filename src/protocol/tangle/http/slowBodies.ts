import type { IncomingMessage } from 'node:http';

export interface SlowLimits {
  /** Of one key, at a time. */
  readonly most: number;
  /** Below this it is slow. */
  readonly bytesPerSecond: number;
  readonly lookMs: number;
}

const USUAL: SlowLimits = { most: 32, bytesPerSecond: 1024, lookMs: 10_000 };

/**
 * Bodies that hardly come. A call may take an hour for its body, and a stream into a sandbox may be silent for most of that; but connections are
 * limited for all keys together, so that each may have only so many of these: with one more, the one that has come longest loses its
 * connection. One that waits because a sandbox reads slowly is not slow.
 */
export class SlowBodies {
  /** By key, oldest first. */
  readonly #slow = new Map<string, Set<IncomingMessage>>();
  readonly #limits: SlowLimits;

  constructor(limits = USUAL) {
    this.#limits = limits;
  }

  watch(request: IncomingMessage, key: string): void {
    if (request.complete) return;
    const { lookMs, bytesPerSecond } = this.#limits;
    const { socket } = request;
    let before = socket.bytesRead;
    const looking = setInterval(() => {
      const came = socket.bytesRead - before;
      before = socket.bytesRead;
      // The socket is destroyed at once, the request that it carried only when it hears of that.
      if (request.complete || socket.destroyed) return end();
      const isHeldBack = request.isPaused() || request.readableLength > 0;
      if (!isHeldBack && came < (bytesPerSecond * lookMs) / 1000) this.#add(key, request);
      else this.#remove(key, request);
    }, lookMs);
    looking.unref();
    const end = () => {
      clearInterval(looking);
      this.#remove(key, request);
    };
    request.once('close', end);
  }

  #add(key: string, request: IncomingMessage): void {
    const those = this.#slow.get(key) ?? new Set();
    this.#slow.set(key, those.add(request));
    if (those.size <= this.#limits.most) return;
    const [oldest] = those;
    if (oldest === undefined) return;
    this.#remove(key, oldest);
    oldest.socket.destroy();
  }

  #remove(key: string, request: IncomingMessage): void {
    const those = this.#slow.get(key);
    those?.delete(request);
    if (those?.size === 0) this.#slow.delete(key);
  }
}
