import * as v from 'valibot';
import { Secret } from '../../../base/secret.ts';
import { VARIABLE_NAME } from '../../../host/sandboxes/checkVariables.ts';
import type { Hints } from '../../../host/sandboxes/placement/place.ts';
import type { NewSandbox } from '../../../host/sandboxes/sandboxes.ts';
import { TOOLS, type Tool } from '../access/sidecarToken.ts';
import { HttpError, invalid } from '../http/httpError.ts';
import { smallJson } from '../http/smallJson.ts';
import { egressOf } from './egressOf.ts';

const MIB = 2 ** 20;
const YEAR = 366 * 86_400;

const word = v.pipe(v.string(), v.nonEmpty(), v.maxLength(256));
const count = v.pipe(v.number(), v.finite(), v.gtValue(0), v.maxValue(2 ** 31));
/** In less, what is ours (some 60 MiB inside) leaves a command no room: it is cut off in the middle. */
const memory = v.pipe(
  count,
  v.minValue(128, 'at least 128: some 60 of them are taken inside before a command runs'),
);
const seconds = v.pipe(v.number(), v.finite(), v.gtValue(0), v.maxValue(YEAR));
const variable = v.pipe(v.string(), v.regex(VARIABLE_NAME, 'is not a name of a variable'));
const agent = v.object({
  runtime: word,
  code: v.optional(
    v.pipe(
      v.string(),
      v.maxLength(1024),
      v.check((key) => !key.startsWith('sandboxes/'), 'is no code: what lies there is of the hosts'),
    ),
    '',
  ),
  entrypoint: v.optional(v.pipe(v.string(), v.maxLength(65_536)), ''),
});

/** What `POST /v1/sandboxes` takes, in both spellings of each field; what is not known passes (facts, section 5). */
const schema = v.object({
  name: v.nullish(word),
  image: v.nullish(word),
  environment: v.nullish(word),
  env: v.nullish(v.record(variable, v.pipe(v.string(), v.maxLength(32_768)))),
  resources: v.nullish(
    v.object({
      cpuCores: v.nullish(count),
      cpu: v.nullish(count),
      memoryMB: v.nullish(memory),
      memoryMb: v.nullish(memory),
      diskGB: v.nullish(count),
      storageMb: v.nullish(count),
      accelerator: v.nullish(v.unknown()),
    }),
  ),
  maxLifetimeSeconds: v.nullish(seconds),
  idleTimeoutSeconds: v.nullish(seconds),
  driver: v.nullish(
    v.object({
      type: v.nullish(word),
      targetHostIds: v.nullish(v.pipe(v.array(word), v.maxLength(64))),
      avoidHostIds: v.nullish(v.pipe(v.array(word), v.maxLength(64))),
    }),
  ),
  backend: v.nullish(v.object({ type: v.nullish(word) })),
  egressPolicy: v.nullish(
    v.object({
      mode: v.nullish(v.picklist(['open', 'strict', 'blocked'])),
      allowDomains: v.nullish(v.pipe(v.array(word), v.maxLength(64))),
      includeImplicitDomains: v.nullish(v.boolean()),
    }),
  ),
  network: v.nullish(
    v.object({
      blockOutbound: v.nullish(v.boolean()),
      allowList: v.nullish(v.pipe(v.array(word), v.maxLength(10))),
    }),
  ),
  secrets: v.nullish(v.pipe(v.array(variable), v.maxLength(64))),
  secretEnv: v.nullish(v.record(variable, v.pipe(v.string(), v.maxLength(32_768)))),
  capabilities: v.nullish(v.pipe(v.array(v.picklist(TOOLS)), v.maxLength(TOOLS.length))),
  files: v.nullish(
    v.pipe(v.array(v.pipe(v.string(), v.startsWith('/'), v.maxLength(4096))), v.maxLength(64)),
  ),
  fromSnapshot: v.nullish(word),
  idempotencyKey: v.nullish(v.pipe(v.string(), v.nonEmpty(), v.maxLength(256))),
  metadata: v.nullish(v.pipe(v.unknown(), smallJson())),
  agent: v.nullish(v.union([v.literal(false), agent])),
});

/** What a client may ask for and nobody here has. Asked for, it is refused: a sandbox without it would be another one. */
const NOT_HAD: Readonly<Record<string, string>> = {
  git: 'clone it by a command',
  tools: 'install them by a command, or name an image that has them',
  sshEnabled: 'there are terminals',
  webTerminalEnabled: 'there are terminals',
  storage: 'the store is of this host',
  confidential: 'no engine here has it',
};

/** Without the values of its secrets. What was not said is undefined. */
export interface WantedSandbox {
  readonly name: string | undefined;
  readonly image: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly cpuMillis: number | undefined;
  readonly memoryBytes: number | undefined;
  readonly diskBytes: number | undefined;
  readonly lifetimeMs: number | undefined;
  readonly idleMs: number | undefined;
  readonly egress: NewSandbox['egress'] | undefined;
  readonly unenforceable: readonly string[];
  readonly secrets: readonly string[];
  /** Only another server of sandboxes is listened to. */
  readonly secretEnv: Readonly<Record<string, Secret>>;
  readonly tools: readonly Tool[] | undefined;
  /** What it will read and write, for the policy to say a word. */
  readonly files: readonly string[];
  readonly hints: Hints;
  readonly backend: string | undefined;
  readonly fromSnapshot: string | undefined;
  readonly idempotencyKey: string | undefined;
  readonly metadata: unknown;
  readonly agent: NewSandbox['agent'];
}

/** Throws 400 with every wrong field, 501 for what nobody here has. */
export function readCreate(
  body: Readonly<Record<string, unknown>>,
  header: string | undefined,
): WantedSandbox {
  const parsed = v.safeParse(schema, body, { abortPipeEarly: true });
  if (!parsed.success)
    throw invalid(
      Object.fromEntries(parsed.issues.map((issue) => [v.getDotPath(issue) ?? 'body', issue.message])),
    );
  refuseNotHad(body);
  const { output: given } = parsed;
  const { resources } = given;
  if (resources?.accelerator) throw notHad('resources.accelerator', 'no engine here has it');
  const cpu = resources?.cpuCores ?? resources?.cpu;
  const memoryMB = resources?.memoryMB ?? resources?.memoryMb;
  const disk = resources?.diskGB ? resources.diskGB * 1024 : resources?.storageMb;
  const image = given.image ?? given.environment ?? undefined;
  return {
    name: given.name ?? undefined,
    // The template of that name is the host's own image.
    image: image === 'universal' ? undefined : image,
    env: given.env ?? {},
    cpuMillis: cpu == null ? undefined : Math.ceil(cpu * 1000),
    memoryBytes: memoryMB == null ? undefined : Math.ceil(memoryMB * MIB),
    diskBytes: disk == null ? undefined : Math.ceil(disk * MIB),
    lifetimeMs: given.maxLifetimeSeconds == null ? undefined : given.maxLifetimeSeconds * 1000,
    idleMs: given.idleTimeoutSeconds == null ? undefined : given.idleTimeoutSeconds * 1000,
    ...egressOf(given),
    secrets: given.secrets ?? [],
    secretEnv: Object.fromEntries(
      Object.entries(given.secretEnv ?? {}).map(([name, value]) => [name, new Secret(value)]),
    ),
    tools: given.capabilities ?? undefined,
    files: given.files ?? [],
    hints: {
      driver: given.driver?.type ?? undefined,
      among: given.driver?.targetHostIds ?? [],
      avoid: given.driver?.avoidHostIds ?? [],
    },
    backend: given.backend?.type ?? undefined,
    fromSnapshot: given.fromSnapshot ?? undefined,
    idempotencyKey: given.idempotencyKey ?? header,
    metadata: given.metadata ?? undefined,
    agent: given.agent || undefined,
  };
}

function refuseNotHad(body: Readonly<Record<string, unknown>>): void {
  for (const [field, instead] of Object.entries(NOT_HAD)) {
    const value = body[field];
    const isEmpty = !value || (typeof value === 'object' && Object.keys(value).length === 0);
    if (!isEmpty) throw notHad(field, instead);
  }
}

const notHad = (field: string, instead: string) =>
  new HttpError(501, 'NOT_SUPPORTED', `${field} is not supported: ${instead}`, { field });
