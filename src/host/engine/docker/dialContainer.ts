import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { RuntimeError } from '../../../base/errors.ts';
import { findContainer } from './containers/findContainer.ts';
import { toInstance } from './containers/toInstance.ts';
import type { DockerContext } from './dockerContext.ts';
import { noAnswer } from './http/dockerError.ts';

/** Milliseconds. */
const CONNECT_MS = 5_000;

export async function dialContainer(
  context: DockerContext,
  name: string,
  port: number,
  signal: AbortSignal,
): Promise<Duplex> {
  const op = 'engine.dial';
  const container = await findContainer(context, op, name, signal);
  if (!container) throw new RuntimeError('not-found', `${name}: no such container of this host`, { op });
  const address = toInstance(container, context)?.address;
  if (address === undefined)
    throw new RuntimeError('conflict', `${name}: not running, or without an address`, { op });
  const socket = connect({ host: address, port, signal, allowHalfOpen: true });
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
    throw noAnswer(op, `${name}:${port}`, error);
  } finally {
    clearTimeout(timer);
  }
}
