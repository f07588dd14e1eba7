import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { RuntimeError } from '../../../base/errors.ts';
import { noAnswer } from '../../kubernetes/kubeError.ts';
import { findPod, noPod } from './findPod.ts';
import type { KubeContext } from './kubeContext.ts';

/** Milliseconds. */
const CONNECT_MS = 5_000;

/** At the pod's own address: the host is on the cluster's network. */
export async function dialPod(
  context: KubeContext,
  name: string,
  port: number,
  signal: AbortSignal,
): Promise<Duplex> {
  const op = 'engine.dial';
  const seen = await findPod(context, name, signal);
  if (seen === undefined) throw noPod(op, name);
  const { address } = seen.instance;
  if (address === undefined) throw new RuntimeError('conflict', `${name}: not running`, { op, path: name });
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
