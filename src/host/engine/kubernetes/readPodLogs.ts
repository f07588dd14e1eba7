import { noAnswer } from '../../kubernetes/kubeError.ts';
import type { LogChunk, LogOptions } from '../engine.ts';
import { findPod, noPod } from './findPod.ts';
import type { KubeContext } from './kubeContext.ts';
import { BOT } from './pods/pod.ts';

/** The cluster keeps both streams in one. */
export async function* readPodLogs(
  context: KubeContext,
  name: string,
  { tail, follow }: LogOptions,
  signal: AbortSignal,
): AsyncGenerator<LogChunk> {
  const op = 'engine.logs';
  const seen = await findPod(context, name, signal);
  if (seen === undefined) throw noPod(op, name);
  const stream = await context.client.stream({
    op,
    subject: name,
    method: 'GET',
    path: `${context.pods.path}/${seen.pod}/log`,
    query: {
      container: BOT,
      ...(tail !== undefined && { tailLines: String(tail) }),
      ...(follow && { follow: 'true' }),
    },
    signal,
  });
  try {
    for await (const bytes of stream as AsyncIterable<Buffer>) yield { stream: 'stdout', bytes };
  } catch (error) {
    signal.throwIfAborted();
    throw noAnswer(op, name, error);
  } finally {
    stream.destroy();
  }
}
