import type { Plugin } from 'esbuild';

/**
 * Builtins that take milliseconds to load, and that a start often does without: the first use of one of its exports loads it, not the import.
 * A proxy in the chain of prototypes: esbuild's `__toESM` makes an object with that of what it is given.
 */
export const lazyBuiltins: Plugin = {
  name: 'lazy builtins',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(node:)?(crypto|zlib|http|https|sqlite|worker_threads)$/ }, ({ path }) => ({
      path,
      namespace: 'lazy',
    }));
    onLoad({ filter: /.*/, namespace: 'lazy' }, ({ path }) => ({
      contents: `module.exports = Object.create(new Proxy({}, { get: (_, name) => process.getBuiltinModule('${path}')[name] }))`,
    }));
  },
};
