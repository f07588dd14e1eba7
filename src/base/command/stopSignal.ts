import { RuntimeError } from '../errors.ts';

/**
 * Aborted by SIGTERM or SIGINT, with `interrupted` (143) as its reason. Further ones do nothing: left to Node, the second would
 * end a final sync half-way.
 */
export function stopSignal(source: NodeJS.Process = process): AbortSignal {
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    source.on(signal, () => stop.abort(new RuntimeError('interrupted', `stopped by ${signal}`)));
  }
  return stop.signal;
}
