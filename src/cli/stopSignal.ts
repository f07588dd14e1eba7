import { RuntimeError } from '../errors.ts';

/** Aborted by SIGTERM or SIGINT, with `interrupted` (143) as its reason. */
export function stopSignal(source: NodeJS.Process = process): AbortSignal {
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    source.once(signal, () => stop.abort(new RuntimeError('interrupted', `stopped by ${signal}`)));
  }
  return stop.signal;
}
