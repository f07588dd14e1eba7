/** Builtins that the snapshot cannot hold, or that few starts load. */
const LATER = ['http', 'https', 'crypto', 'zlib', 'worker_threads', 'sqlite', 'fs/promises', 'readline'];

/**
 * For the build: loads all of Node's own modules that a process may load after its start. What only a thread loads is not among them: each
 * process would copy 0.7 MB of caches at its start, and keep them, for 6 % of a start with 2,000 files.
 */
export function loadLater(): never {
  for (const name of LATER) process.getBuiltinModule(`node:${name}`);
  process.exit(0);
}
