import type { Reporter, TestModule } from 'vitest/node';

/** The tests that a run in CI may skip, by the beginning of their names, with the reason. No other may be skipped there. */
const maySkip: Readonly<Record<string, string>> = {
  'arm64: ':
    'emulated, it takes minutes of both cores; RUNTIME_TEST_ARM64=1 scripts/test test/e2e/arm64 runs it',
  'chart: ': 'helm takes minutes to build; scripts/helm install, once, and it is tested from then on',
  'kubernetes: ': 'a cluster takes minutes to build where none is yet; `scripts/kube build`, then they run',
  'C#: ': 'no registry that CI reaches has the .NET SDK',
  'MinIO is stopped and the bot says more than there is room for':
    'the bot stands still for ten seconds; RUNTIME_TEST_SCALE=12 scripts/test test/faults/storeDown runs it',
};

/** In CI, a skipped test that is not listed fails the run: a tool that could not be installed is not a pass. */
export default class MaySkip implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    if (!process.env.CI) return;
    const skipped = modules.flatMap((module) => [...module.children.allTests('skipped')]);
    const wrong = skipped.filter(({ name }) => !Object.keys(maySkip).some((begin) => name.startsWith(begin)));
    for (const { module, fullName } of wrong) {
      process.stdout.write(`\nskipped, which CI may not (test/support/maySkip.ts):\n`);
      process.stdout.write(`  ${module.relativeModuleId} > ${fullName}\n`);
    }
    if (wrong.length > 0) process.exitCode = 1;
  }
}
