declare const RUNTIME_VERSION: string | undefined;
declare const RUNTIME_COMMIT: string | undefined;

/** What `scripts/build` bakes in; `unknown` when the sources run as they are, in tests. */
export const build = {
  version: typeof RUNTIME_VERSION === 'string' ? RUNTIME_VERSION : 'unknown',
  commit: typeof RUNTIME_COMMIT === 'string' ? RUNTIME_COMMIT : 'unknown',
} as const;
