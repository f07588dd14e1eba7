import { RuntimeError } from '../../base/errors.ts';
import type { Kind, Launch, LaunchRequest } from './kind.ts';

/**
 * What stands around the launching of every kind. `next` is the kind, or the next middleware; what it resolves with or throws is
 * the outcome, which may be looked at, changed, tried again, or taken back.
 */
export interface KindMiddleware {
  launch?(
    request: LaunchRequest,
    next: (request: LaunchRequest) => Promise<Launch>,
    kind: Kind,
  ): Promise<Launch>;
  verify?(request: LaunchRequest, next: (request: LaunchRequest) => Promise<void>, kind: Kind): Promise<void>;
}

/** The kind with middleware around it. The order of registration is the order of nesting: the first one is the outermost. */
export function withMiddleware(kind: Kind, middleware: readonly KindMiddleware[]): Kind {
  let launch = (request: LaunchRequest) => kind.launch(request);
  let verify = (request: LaunchRequest) => kind.verify(request);
  for (const outer of middleware.toReversed()) {
    const [nextLaunch, nextVerify] = [launch, verify];
    if (outer.launch) launch = (request) => outer.launch!(request, nextLaunch, kind);
    if (outer.verify) verify = (request) => outer.verify!(request, nextVerify, kind);
  }
  return { ...kind, launch, verify };
}

/** An experimental kind is launched only where the operator allows it; else `refused`. */
export function experimentalPolicy(allowed: boolean): KindMiddleware {
  return {
    launch: async (request, next, kind) => {
      if (kind.status === 'experimental' && !allowed) {
        throw new RuntimeError('refused', `the kind ${kind.id} is experimental`, {
          hint: 'Set ALLOW_EXPERIMENTAL=true to run it all the same.',
        });
      }
      return await next(request);
    },
  };
}

/** Words before the command: `nice -n 5`. What they name has to become the command, or to pass signals and descriptors on. */
export function wrap(words: readonly string[]): KindMiddleware {
  return {
    launch: async (request, next) => {
      const launch = await next(request);
      const wrapped = words.length + (launch.wrapped ?? 0);
      return { ...launch, argv: [...words, ...launch.argv], wrapped };
    },
  };
}
