import { RuntimeError } from '../../base/errors.ts';
import type { Kind, Launch, LaunchRequest } from './kind.ts';

export type Launcher = (request: LaunchRequest) => Launch;

/** Wraps the launching of a kind: may look at the request, refuse it, or change what comes back. */
export type KindMiddleware = (next: Launcher, kind: Kind) => Launcher;

/** The kind with its `launch` wrapped. The first middleware is the outermost: it sees the request first. */
export function withMiddleware(kind: Kind, middleware: readonly KindMiddleware[]): Kind {
  const launch = middleware.reduceRight<Launcher>(
    (next, wrap) => wrap(next, kind),
    (request) => kind.launch(request),
  );
  return { ...kind, launch, verify: (request) => kind.verify(request) };
}

/** An experimental kind is launched only where the operator allows it; else `refused`. */
export function experimentalPolicy(allowed: boolean): KindMiddleware {
  return (next, kind) => (request) => {
    if (kind.status === 'experimental' && !allowed) {
      throw new RuntimeError('refused', `the kind ${kind.id} is experimental`, {
        hint: 'Set ALLOW_EXPERIMENTAL=true to run it all the same.',
      });
    }
    return next(request);
  };
}
