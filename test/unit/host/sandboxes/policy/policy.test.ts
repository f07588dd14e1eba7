import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { evaluate, isFileOpen } from '../../../../../src/host/sandboxes/policy/evaluate.ts';
import { followPolicy } from '../../../../../src/host/sandboxes/policy/followPolicy.ts';
import { isWithin } from '../../../../../src/host/sandboxes/policy/isWithin.ts';
import { isNamed } from '../../../../../src/host/sandboxes/policy/pattern.ts';
import { emptyRequest, usualRules } from '../../../../../src/host/sandboxes/policy/policy.ts';
import { readPolicy } from '../../../../../src/host/sandboxes/policy/readPolicy.ts';
import { temporaryDirectory } from '../../../../support/files/temporary.ts';
import { memoryLog } from '../../../../support/memoryLog.ts';

test('who asks for nothing violates nothing', () => {
  expect(evaluate(emptyRequest, usualRules)).toEqual([]);
  expect(
    evaluate(
      emptyRequest,
      readPolicy('default: {tools: [], egress: none, resources: {cpuCores: 0.1}}', 'p').rulesOf('x'),
    ),
  ).toEqual([]);
});

test('all violations are told at once, each with its rule', () => {
  const rules = readPolicy(
    `
default:
  tools: [files]
  egress: [203.0.113.0/24]
  files: [/workspace]
  secrets: [DB_*]
  providers: [docker]
  images: [ghcr.io/acme/*]
  agents: [python*]
  code: [mine/*]
  resources: {cpuCores: 1, memoryMB: 512, diskGB: 1, maxLifetimeSeconds: 60, idleTimeoutSeconds: 10}
`,
    'p',
  ).rulesOf('any');
  const found = evaluate(
    {
      tools: ['exec', 'files'],
      egress: 'internet',
      unenforceable: ['example.com: names are not enforced'],
      files: ['/etc/passwd', '/workspace/a'],
      secrets: ['DB_URL', 'API_KEY'],
      provider: 'kubernetes',
      image: 'docker.io/evil',
      agent: 'openclaw',
      code: 'others/code.tar',
      cpuMillis: 1001,
      memoryBytes: 513 * 2 ** 20,
      diskBytes: 2 * 2 ** 30,
      lifetimeMs: 61_000,
      idleMs: 11_000,
    },
    rules,
  );
  expect(found.map(({ rule }) => rule)).toEqual([
    'tools',
    'domains',
    'domains',
    'files',
    'secrets',
    'provider',
    'provider',
    'code',
    'image',
    ...Array(5).fill('resources'),
  ]);
  expect(found[0]!.message).toBe('the tool exec is not allowed; allowed: files');
  expect(found.at(-1)).toMatchObject({ asked: 11, allowed: 10 });
});

test('at the limit is allowed', () => {
  const { resources } = usualRules;
  const request = { ...emptyRequest, ...resources, tools: usualRules.tools, egress: usualRules.egress };
  expect(evaluate(request, usualRules)).toEqual([]);
});

test.each([
  ['none', 'none', true],
  ['internet', ['0.0.0.0/0'], false],
  ['internet', 'internet', true],
  [['198.41.0.0/24'], 'internet', true],
  [['10.1.0.0/16'], 'internet', false],
  [['0.0.0.0/0'], 'internet', false],
  [['198.41.0.4/32'], ['198.41.0.0/24'], true],
  [['198.41.0.0/23'], ['198.41.0.0/24'], false],
  [['198.41.1.0/24'], 'none', false],
  [[], 'none', true],
] as const)('%j within %j: %s', (asked, allowed, is) => {
  expect(isWithin(asked, allowed)).toBe(is);
});

test.each([
  ['*', 'anything', true],
  ['a*c', 'abc', true],
  ['a*c', 'ac', true],
  ['ab*bc', 'abc', false],
  ['a*b*c', 'a-b-c', true],
  ['a.c', 'abc', false],
  ['', 'a', false],
])('the pattern %j of %j: %s', (pattern, name, is) => {
  expect(isNamed([pattern], name)).toBe(is);
});

test('a folder holds what is below it, and not its neighbour', () => {
  expect(isFileOpen('/workspace', ['/workspace'])).toBe(true);
  expect(isFileOpen('/workspace2/a', ['/workspace'])).toBe(false);
  expect(isFileOpen('/etc', ['/'])).toBe(true);
});

test('a key has its own rules over those of all', () => {
  const policy = readPolicy(
    '{default: {egress: none, resources: {sandboxes: 3}}, keys: {ci: {resources: {sandboxes: 9}}}}',
    'p',
  );
  expect(policy.rulesOf('ci')).toMatchObject({ egress: 'none', resources: { sandboxes: 9 } });
  expect(policy.rulesOf('other').resources.sandboxes).toBe(3);
});

test.each([
  ['default: {tool: [exec]}', /default\.tool/],
  ['default: {egress: [10.0.0.0/33]}', /default\.egress/],
  ['default: {files: [/workspace]}', /files cannot be kept from exec/],
  ['default: {files: [/a/../b], tools: []}', /"\.\."/],
  ['default: {resources: {cpuCores: -1}}', /cpuCores/],
  ['default: [', /./],
  ['keys: {"A b": {}}', /name of a key/],
])('%s cannot be used', (text, why) => {
  let problems: readonly string[] = [];
  try {
    readPolicy(text, 'p');
  } catch (error) {
    ({ problems } = error as { problems: readonly string[] });
  }
  expect(problems.join('\n')).toMatch(why);
});

test('a changed file counts at once; a broken or missing one leaves what was in force', async () => {
  const path = join(await temporaryDirectory(), 'policy.yaml');
  const put = (text: string) => {
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  };
  put('default: {egress: none}');
  const { log, lines } = memoryLog();
  const policy = followPolicy(path, log);
  expect(policy.rulesOf('x').egress).toBe('none');
  put('default: {egress: internet}');
  expect(policy.rulesOf('x').egress).toBe('internet');
  put('default: {egress: nowhere}');
  expect(policy.rulesOf('x').egress).toBe('internet');
  rmSync(path);
  expect(policy.rulesOf('x').egress).toBe('internet');
  expect(lines.filter((line) => line.includes('stays in force'))).toHaveLength(2);
  put('default: {egress: none}');
  expect(policy.rulesOf('x').egress).toBe('none');
  expect(() => followPolicy(`${path}.none`, log)).toThrow('cannot be read');
});

test('what becomes of a policy is told in the log while nobody asks, until the server ends', async () => {
  const path = join(await temporaryDirectory(), 'policy.yaml');
  writeFileSync(path, 'default: {egress: none}');
  const { log, lines } = memoryLog();
  const ending = new AbortController();
  followPolicy(path, log, ending.signal);
  writeFileSync(path, 'default: {egress: nowhere}  # of another length');
  await vi.waitFor(() => expect(lines.join('\n')).toContain('default.egress'), { timeout: 20_000 });
  writeFileSync(path, 'default: {egress: internet}');
  await vi.waitFor(() => expect(lines.join('\n')).toContain('has changed'), { timeout: 20_000 });
  ending.abort();
});
