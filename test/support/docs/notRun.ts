import type { Block } from './page.ts';

/** A line of a page that its test does not run. */
export interface NotRun {
  readonly page: RegExp;
  readonly line: RegExp;
  readonly why: string;
}

/** Every command of the documentation that no page's test runs, and why. The test prints the lines that each rule finds. */
export const notRun: readonly NotRun[] = [
  { page: /./, line: /^(\.\/)?scripts\/test/, why: 'runs this test' },
  {
    page: /CONTRIBUTING/,
    line: /^npm run check|^scripts\/ruff/,
    why: 'scripts/test does it before the tests',
  },
  { page: /CONTRIBUTING/, line: /^scripts\/bench/, why: 'takes minutes and prints figures' },
  {
    page: /CONTRIBUTING/,
    line: /^scripts\/agents/,
    why: 'takes minutes, and 800 MB; test/integration/agent has stand-ins',
  },
  {
    page: /tutorial|hosts/,
    line: /^apt-get /,
    why: 'of the whole machine; scripts/fresh-tutorial types it in a container',
  },
  {
    page: /images/,
    line: /--arch arm64/,
    why: 'emulated; RUNTIME_TEST_ARM64=1 scripts/test test/e2e/arm64 makes it',
  },
  {
    page: /images/,
    line: /^DOTNET_IMAGE=IMAGE/,
    why: 'IMAGE is yours; no registry that CI reaches has .NET',
  },
  {
    page: /recipes/,
    line: /^mc /,
    why: "MinIO's own client; test/docs/policy.test.ts gives a user the same policy",
  },
  {
    page: /agents/,
    line: /^runtime ask (http|my-agent)/,
    why: 'wants a person who types, or a host; test/integration/agents asks both',
  },
  {
    page: /kubernetes/,
    line: /./,
    why: 'needs a cluster; test/kubernetes and test/unit/deploy do the same',
  },
];

/** What runs until it is stopped; the test stops it after some seconds. */
export const endless: readonly RegExp[] = [/--watch/, /^curl -N/];

export const isNotRun = (page: string, line: string): boolean =>
  notRun.some((rule) => rule.page.test(page) && rule.line.test(line));

/** One line per command: `page: command: why`. */
export function listNotRun(pages: ReadonlyMap<string, readonly Block[]>): string[] {
  return [...pages].flatMap(([page, blocks]) =>
    blocks
      .flatMap(({ commands }) => commands.split('\n'))
      .flatMap((line) => {
        const rule = notRun.find((each) => each.page.test(page) && each.line.test(line));
        return rule === undefined ? [] : [`${page}: ${line.replace(/\s+#.*/, '')}: ${rule.why}`];
      }),
  );
}
