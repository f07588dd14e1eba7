import { TrieRouter } from '../../../base/parts/hono.ts';
import { decoded } from './decoded.ts';
import type { Route } from './route.ts';

export interface Matched {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

/** Undefined: there is no such path. A list: the path takes these methods. Where several match, the first of the list. */
export type Match = (method: string, path: string) => Matched | readonly string[] | undefined;

export function matcher(routes: readonly Route[]): Match {
  const router = new TrieRouter<Route>();
  for (const route of routes) router.add(route.method, route.path, route);
  const methods = [...new Set(routes.map(({ method }) => method))].filter((method) => method !== 'ALL');
  return (method, path) => {
    const [found] = router.match(method, path)[0] as [Route, Record<string, string>][];
    if (found !== undefined) return { route: found[0], params: allDecoded(found[1]) };
    const others = methods.filter((other) => router.match(other, path)[0].length > 0);
    return others.length > 0 ? others : undefined;
  };
}

function allDecoded(params: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, decoded(value)]));
}
