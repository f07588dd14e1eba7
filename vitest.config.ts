import { readFileSync } from 'node:fs';
import { defineConfig, type Plugin } from 'vitest/config';

/** Programs and definitions in other languages are text, as they are to Node (scripts/node) and to the bundler. */
const programsAsText: Plugin = {
  name: 'programs as text',
  enforce: 'pre',
  load: (id) =>
    /\/src\/.*\.(py|cjs|proto)$/.test(id)
      ? `export default ${JSON.stringify(readFileSync(id, 'utf8'))}`
      : null,
};

/** Tests that start real processes on a busy machine: a limit is there to end a hang, not to measure. */
const timeouts = { testTimeout: 60_000, hookTimeout: 60_000 };

/** By `scripts/agents test`, which installs them. */
const agents = process.env.RUNTIME_TEST_AGENTS
  ? [{ extends: true as const, test: { name: 'agents', include: ['test/agents/**/*.test.ts'], ...timeouts } }]
  : [];

export default defineConfig({
  plugins: [programsAsText],
  test: {
    reporters: [
      ['default', { summary: false }],
      './test/support/maySkip.ts',
      './test/support/closingLine.ts',
    ],
    // Real processes on a shared machine that may stand still for seconds; a test that needed another try is shown as such.
    retry: process.env.CI ? 2 : 0,
    // As the limits of whole tests: to end a hang. The usual second is over before a machine that stands still goes on.
    expect: { poll: { timeout: 20_000 } },
    pool: 'forks',
    maxWorkers: 3,
    projects: [
      { extends: true, test: { name: 'unit', include: ['test/unit/**/*.test.ts'], ...timeouts } },
      {
        extends: true,
        test: {
          name: 'minio',
          include: ['test/{contract,docs,integration,faults,e2e,field,host,protocol}/**/*.test.ts'],
          globalSetup: ['test/support/store/globalMinio.ts'],
          ...timeouts,
        },
      },
      {
        extends: true,
        test: {
          name: 'kubernetes',
          include: ['test/kubernetes/**/*.test.ts'],
          globalSetup: ['test/support/kubernetes/globalCluster.ts'],
          testTimeout: 240_000,
          hookTimeout: 120_000,
        },
      },
      ...agents,
    ],
  },
});
