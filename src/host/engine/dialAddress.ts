import { connect } from 'node:net';
import type { Duplex } from 'node:stream';

/** Milliseconds. */
const CONNECT_MS = 5_000;

/** A connection to an instance at its own address; its end may be half-closed. Throws what the system says, or the signal's reason. */
export async function dialAddress(host: string, port: number, signal: AbortSignal): Promise<Duplex> {
  const socket = connect({ host, port, signal, allowHalfOpen: true });
  const timer = setTimeout(() => socket.destroy(new Error(`none within ${CONNECT_MS} ms`)), CONNECT_MS);
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      // Stays for good: an error after connecting reaches whoever reads.
      socket.on('error', reject);
    });
    return socket;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
