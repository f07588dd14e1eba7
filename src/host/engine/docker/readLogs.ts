import { RuntimeError } from '../../../base/errors.ts';
import type { LogChunk, LogOptions } from '../engine.ts';
import { findContainer } from './containers/findContainer.ts';
import type { DockerContext } from './dockerContext.ts';
import { noAnswer } from './http/dockerError.ts';
import { readFrames } from './http/readFrames.ts';

export async function* readLogs(
  context: DockerContext,
  name: string,
  { tail, follow }: LogOptions,
  signal: AbortSignal,
): AsyncGenerator<LogChunk> {
  const op = 'engine.logs';
  const container = await findContainer(context, op, name, signal);
  if (!container) throw new RuntimeError('not-found', `${name}: no such container of this host`, { op });
  const stream = await context.client.stream({
    op,
    subject: name,
    method: 'GET',
    path: `/containers/${container.Id}/logs`,
    query: {
      stdout: '1',
      stderr: '1',
      tail: tail === undefined ? 'all' : String(tail),
      ...(follow && { follow: '1' }),
    },
    signal,
  });
  try {
    yield* readFrames(stream);
  } catch (error) {
    signal.throwIfAborted();
    throw noAnswer(op, name, error);
  } finally {
    stream.destroy();
  }
}
