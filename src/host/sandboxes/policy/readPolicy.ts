import * as v from 'valibot';
import { RuntimeError } from '../../../base/errors.ts';
import { parseDocument } from '../../../base/parts/yaml.ts';
import { type Policy, PROVIDERS, type Rules, TOOLS, usualRules } from './policy.ts';

/** Whoever has one of these reads and writes every file that the sandbox's user can. */
const OPENS_FILES = ['exec', 'process', 'terminal', 'agent', 'search'] as const;

const pattern = v.pipe(v.string(), v.nonEmpty(), v.maxLength(256));
const patterns = v.pipe(v.array(pattern), v.maxLength(256));
const amount = v.pipe(v.number(), v.finite(), v.gtValue(0));
const network = v.pipe(
  v.string(),
  v.regex(/^\d{1,3}(\.\d{1,3}){3}\/\d{1,2}$/, 'expected a network such as 203.0.113.0/24'),
  v.check(
    (text) => text.split(/[./]/).every((part, at) => Number(part) <= (at === 4 ? 32 : 255)),
    'is no network',
  ),
);
const folder = v.pipe(
  v.string(),
  v.regex(/^\/([^/]+(\/[^/]+)*)?$/, 'expected an absolute path without a "/" at its end'),
  v.check((path) => !path.split('/').some((name) => name === '.' || name === '..'), 'has "." or ".." in it'),
);

const rules = v.strictObject({
  tools: v.optional(v.array(v.picklist(TOOLS))),
  egress: v.optional(
    v.union([v.picklist(['none', 'internet']), v.array(network)], 'expected none, internet or networks'),
  ),
  files: v.optional(v.pipe(v.array(folder), v.maxLength(64))),
  secrets: v.optional(patterns),
  providers: v.optional(v.array(v.picklist(PROVIDERS))),
  images: v.optional(patterns),
  agents: v.optional(patterns),
  code: v.optional(patterns),
  resources: v.optional(
    v.strictObject({
      cpuCores: v.optional(amount),
      memoryMB: v.optional(amount),
      diskGB: v.optional(amount),
      maxLifetimeSeconds: v.optional(amount),
      idleTimeoutSeconds: v.optional(amount),
      sandboxes: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
    }),
  ),
  rates: v.optional(
    v.strictObject({ reads: v.optional(amount), writes: v.optional(amount), calls: v.optional(amount) }),
  ),
});

/** A policy's file: docs/sandboxes.md, "Policy". What a key does not say is as `default` says, and what that does not say is usual. */
const policySchema = v.strictObject({
  default: v.optional(rules),
  keys: v.optional(
    v.record(v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'is no name of a key')), rules),
  ),
});

type RulesFile = v.InferOutput<typeof rules>;

/** Throws `config` with every problem. */
export function readPolicy(text: string, path: string): Policy {
  const document = parseDocument(text);
  const problems: string[] = document.errors.map(({ message }) => message.split('\n')[0]!);
  const parsed = v.safeParse(policySchema, problems.length > 0 ? {} : (document.toJS() ?? {}), {
    abortPipeEarly: true,
  });
  for (const issue of parsed.issues ?? [])
    problems.push(`${v.getDotPath(issue) ?? 'policy'}: ${issue.message}`);
  const file = parsed.success ? parsed.output : {};
  const usual = over(usualRules, file.default ?? {});
  const keys = new Map(Object.entries(file.keys ?? {}).map(([key, own]) => [key, over(usual, own)]));
  for (const [name, { files, tools }] of [['default', usual] as const, ...keys]) {
    const open = OPENS_FILES.filter((tool) => tools.includes(tool));
    if (files !== undefined && open.length > 0)
      problems.push(
        `${name}: files cannot be kept from ${open.join(', ')}: take these out of tools, or files out of the policy`,
      );
  }
  if (problems.length > 0)
    throw new RuntimeError('config', `the policy ${path} cannot be used`, {
      op: 'policy.read',
      path,
      problems,
    });
  return { rulesOf: (key) => keys.get(key) ?? usual };
}

function over(usual: Rules, { resources = {}, rates = {}, ...own }: RulesFile): Rules {
  const measured = {
    cpuMillis: scaled(resources.cpuCores, 1000),
    memoryBytes: scaled(resources.memoryMB, 2 ** 20),
    diskBytes: scaled(resources.diskGB, 2 ** 30),
    lifetimeMs: scaled(resources.maxLifetimeSeconds, 1000),
    idleMs: scaled(resources.idleTimeoutSeconds, 1000),
    sandboxes: resources.sandboxes,
  };
  return {
    ...usual,
    ...defined(own),
    resources: { ...usual.resources, ...defined(measured) },
    rates: { ...usual.rates, ...defined(rates) },
  };
}

const scaled = (value: number | undefined, unit: number) => (value === undefined ? undefined : value * unit);

function defined<T extends object>(values: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}
