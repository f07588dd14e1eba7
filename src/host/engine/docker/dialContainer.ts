import type { Duplex } from 'node:stream';
import { RuntimeError } from '../../../base/errors.ts';
import { dialAddress } from '../dialAddress.ts';
import { findContainer } from './containers/findContainer.ts';
import { toInstance } from './containers/toInstance.ts';
import type { DockerContext } from './dockerContext.ts';
import { noAnswer } from './http/dockerError.ts';

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
  try {
    return await dialAddress(address, port, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw noAnswer(op, `${name}:${port}`, error);
  }
}
