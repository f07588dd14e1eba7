import type { Call, Route } from '../http/route.ts';

/** Where the API inside of a sandbox is seen from outside: with the caller's key, and with the sandbox's token. */
const PREFIX = /^(?:\/v1\/sandboxes\/[^/]*\/runtime|\/sidecar\/[^/]*)(?=\/|$)/;

/** One call of that API, at both of its paths; `below` is `/agents/run`, or `/*` for all that is left. */
export function bothPaths(method: Route['method'], below: string, handle: Route['handle']): Route[] {
  return [
    { method, path: `/v1/sandboxes/:id/runtime${below}`, scope: 'runtime', handle },
    { method, path: `/sidecar/:id${below}`, scope: 'sidecar', handle },
  ];
}

/** The path that the API inside knows, as it was sent. */
export function insidePath({ path }: Pick<Call, 'path'>): string {
  return path.replace(PREFIX, '') || '/';
}
