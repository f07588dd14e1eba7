import type { Tool } from '../access/sidecarToken.ts';

/** Open to every token: they tell nothing of the files or commands inside. */
const ALWAYS = /^\/(health(\/detailed)?|capabilities|metrics(\/json)?)\/?$/;

const tools: readonly (readonly [RegExp, Tool])[] = [
  [/^\/terminals\/commands(\/|$)/, 'exec'],
  [/^\/terminals(\/|$)/, 'terminal'],
  [/^\/(files|fs)(\/|$)/, 'files'],
  // The SDK pastes relative paths into the address: `/fs/listsrc`.
  [/^\/fs/, 'files'],
  [/^\/process(\/|$)/, 'process'],
  [/^\/(ports|preview-links|preview)(\/|$)/, 'ports'],
  [/^\/search(\/|$)/, 'search'],
  [/^\/agents(\/|$)/, 'agent'],
];

/**
 * Which tool a path inside of a sandbox is; `unknown` is allowed only to whoever may do everything. The same text is what the API
 * inside sees: what could mean another path there has been refused.
 */
export function toolOf(path: string): Tool | 'always' | 'unknown' {
  if (ALWAYS.test(path)) return 'always';
  return tools.find(([pattern]) => pattern.test(path))?.[1] ?? 'unknown';
}

/** Whether a path could be read as another one: `..`, also written as `%2e`, and backslashes. */
export function isAmbiguous(path: string): boolean {
  return /\\|(^|\/)(\.|%2e){1,2}(\/|$)/i.test(path.replaceAll(/%2f/gi, '/').replaceAll(/%5c/gi, '\\'));
}
