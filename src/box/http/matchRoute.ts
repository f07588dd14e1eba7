import type { Route } from './exchange.ts';

export interface Match {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

/** The first of the routes that fits. Methods are looked at last: `allow` has those that the path would take. */
export function matchRoute(
  routes: readonly Route[],
  method: string,
  path: string,
): Match | { readonly allow: readonly string[] } {
  const allow: string[] = [];
  for (const route of routes) {
    const params = paramsOf(route.path, path);
    if (!params) continue;
    if (route.method === method || route.method === 'ALL') return { route, params };
    allow.push(route.method);
  }
  return { allow };
}

function paramsOf(pattern: string, path: string): Record<string, string> | undefined {
  if (pattern.endsWith('*')) {
    const start = pattern.slice(0, -1);
    return path.startsWith(start) ? { rest: path.slice(start.length) } : undefined;
  }
  const [words, given] = [pattern.split('/'), path.split('/')];
  if (words.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, word] of words.entries()) {
    if (word.startsWith(':') && given[index] !== '') params[word.slice(1)] = given[index]!;
    else if (word !== given[index]) return undefined;
  }
  return params;
}
