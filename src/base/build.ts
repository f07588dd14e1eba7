declare const RUNTIME_VERSION: string | undefined;
declare const RUNTIME_COMMIT: string | undefined;
declare const RUNTIME_SNAPSHOT: true | undefined;

/** What `scripts/build` bakes in; `unknown` when the sources run as they are, in tests. */
export const build = {
  version: typeof RUNTIME_VERSION === 'string' ? RUNTIME_VERSION : 'unknown',
  commit: typeof RUNTIME_COMMIT === 'string' ? RUNTIME_COMMIT : 'unknown',
  /** This is the part of the executable that its processes start from. */
  isSnapshot: typeof RUNTIME_SNAPSHOT !== 'undefined',
} as const;
