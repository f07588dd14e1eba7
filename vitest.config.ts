import { defineConfig } from 'vitest/config';

/** Tests that start real processes on a busy machine: a limit is there to end a hang, not to measure. */
const timeouts = { testTimeout: 60_000, hookTimeout: 60_000 };

export default defineConfig({
  test: {
    reporters: [
      ['default', { summary: false }],
      './test/support/maySkip.ts',
      './test/support/closingLine.ts',
    ],
    // Real processes on a shared machine that may stand still for seconds; a test that needed its second try is shown as such.
    retry: process.env.CI ? 1 : 0,
    pool: 'forks',
    maxWorkers: 3,
    projects: [
      { extends: true, test: { name: 'unit', include: ['test/unit/**/*.test.ts'], ...timeouts } },
      {
        extends: true,
        test: {
          name: 'minio',
          include: ['test/{contract,integration,faults,e2e}/**/*.test.ts'],
          globalSetup: ['test/support/store/globalMinio.ts'],
          ...timeouts,
        },
      },
    ],
  },
});
