import type { Duplex } from 'node:stream';
import { RuntimeError } from '../../../base/errors.ts';
import { noAnswer } from '../../kubernetes/kubeError.ts';
import { dialAddress } from '../dialAddress.ts';
import { findPod, noPod } from './findPod.ts';
import type { KubeContext } from './kubeContext.ts';

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
  try {
    return await dialAddress(address, port, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw noAnswer(op, `${name}:${port}`, error);
  }
}
