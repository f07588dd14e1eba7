import type { Invocation, OptionSpec } from '../../base/command/command.ts';
import { Secret } from '../../base/secret.ts';
import { integer, matching, oneOf, type Parser } from '../../bot/config/parser.ts';
import { absolutePath, anyText, flag, isObject, parseJson } from '../../bot/config/parsers.ts';
import { readSettings, setting, settingSpecs, type Values } from './settings.ts';

export type Part = 'realtime' | 'scheduled' | 'queries';
const parts: readonly Part[] = ['realtime', 'scheduled', 'queries'];

const only: Parser<ReadonlySet<Part>> = {
  expects: `some of ${parts.join(',')}`,
  parse: (text) => {
    const named = text.split(',').map((name) => parts.find((part) => part === name.trim()));
    return named.every((part) => part !== undefined) ? new Set(named) : undefined;
  },
};

const jsonObject: Parser<Readonly<Record<string, unknown>>> = {
  expects: 'a JSON object',
  parse: (text) => {
    const value = parseJson(text);
    return isObject(value) ? value : undefined;
  },
};

/** The settings of `runtime host`; documented in docs/hosts.md. */
export const hostSettings = {
  bots: setting(
    'RUNTIME_HOST_BOTS',
    anyText,
    'dir:./bots',
    'where the bots are written down: dir:PATH, s3://BUCKET/PREFIX, mongodb://… or kubernetes:',
  ),
  driver: setting(
    'RUNTIME_HOST_DRIVER',
    oneOf('docker', 'kubernetes'),
    'docker',
    'what runs them: docker or kubernetes',
  ),
  only: setting('RUNTIME_HOST_ONLY', only, parts.join(','), 'run only these parts of it'),
  data: setting(
    'RUNTIME_HOST_DATA',
    absolutePath,
    '/var/lib/runtime',
    'what outlives the host: states, records, journal',
  ),
  socket: setting('RUNTIME_HOST_SOCKET', absolutePath, '/run/runtime/host.sock', "the operator's socket"),
  image: setting('RUNTIME_IMAGE', anyText, 'runtime:universal', 'the image of all bots'),
  network: setting(
    'DOCKER_NETWORK',
    anyText,
    '',
    'a network of the engine instead of closed ones of our own',
  ),
  name: setting(
    'RUNTIME_HOST_NAME',
    matching('a name such as runtime: small letters, digits, "-"', /^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/),
    'runtime',
    'kubernetes: the host, one for all its replicas; what it makes carries it',
  ),
  namespace: setting(
    'NAMESPACE',
    matching('a namespace', /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)?$/),
    '',
    'kubernetes: where everything is; default: the namespace of who asks',
  ),
  'pod-layout': setting(
    'RUNTIME_HOST_POD_LAYOUT',
    oneOf('single', 'sidecars'),
    'single',
    'kubernetes: one container for each bot, or the keys of the store in containers beside it',
  ),
  'lost-node': setting(
    'RUNTIME_HOST_LOST_NODE',
    oneOf('wait', 'replace'),
    'wait',
    'kubernetes: what becomes of bots whose node is not heard of for five minutes',
  ),
  'lost-host': setting(
    'RUNTIME_HOST_LOST_HOST',
    oneOf('wait', 'replace'),
    'wait',
    'what becomes of the same bots of another host of this store that is not heard of for five minutes',
  ),
  'pod-template': setting(
    'RUNTIME_HOST_POD_TEMPLATE',
    jsonObject,
    '{}',
    'kubernetes: more fields of the pods of bots, JSON: nodeSelector, tolerations, priorityClassName, imagePullSecrets',
  ),
  'pull-policy': setting(
    'RUNTIME_IMAGE_PULL_POLICY',
    oneOf('cluster', 'Always', 'IfNotPresent', 'Never'),
    'cluster',
    'kubernetes: when nodes fetch the image of bots; cluster: by its own rule',
  ),
  secrets: setting(
    'RUNTIME_HOST_SECRETS',
    absolutePath,
    '/etc/runtime/secrets',
    "the host's folder of secrets",
  ),
  listen: setting(
    'RUNTIME_HOST_LISTEN',
    oneOf('auto', 'all', 'this-machine'),
    'auto',
    'who reaches the query gateway; auto: all with RUNTIME_QUERY_TOKEN, without it this machine alone',
  ),
  'query-port': setting('RUNTIME_HOST_QUERY_PORT', integer(0, 65_535), '9477', 'the query gateway'),
  'query-workers': setting(
    'RUNTIME_HOST_QUERY_WORKERS',
    integer(0, 64),
    '2',
    'containers that wait for the first query of a bot that does not run; 0: none',
  ),
  'health-port': setting(
    'RUNTIME_HOST_HEALTH_PORT',
    integer(0, 65_535),
    '8080',
    '/healthz, /readyz, /metrics',
  ),
  'start-slots': setting(
    'RUNTIME_HOST_START_SLOTS',
    integer(0, 64),
    '0',
    'starts at the same time; 0: as many as cores, 2 to 8',
  ),
  'allow-mass-delete': setting(
    'RUNTIME_HOST_ALLOW_MASS_DELETE',
    flag,
    'false',
    'believe a source that suddenly wants fewer than half of what runs',
  ),
} as const;

export type HostOptions = Values<typeof hostSettings> & {
  /** RUNTIME_QUERY_TOKEN, for the queries of all bots. */
  readonly queryToken: Secret | undefined;
};

export const hostOptionSpecs = (): Record<string, OptionSpec> => settingSpecs(hostSettings);

/** Flags beat variables beat defaults; one `config` error with every problem. */
export function readHostOptions(given: Pick<Invocation, 'flags' | 'env'>): HostOptions {
  const token = given.env.RUNTIME_QUERY_TOKEN;
  const values = readSettings(hostSettings, given, 'the host');
  return { ...values, queryToken: token ? new Secret(token) : undefined };
}

/** The bots that are run here, of those that are wanted. */
export function typesOf({ only }: HostOptions): ReadonlySet<'realtime' | 'scheduled'> {
  return new Set((['realtime', 'scheduled'] as const).filter((type) => only.has(type)));
}

/** Where the operator's socket is, for the commands that ask a host. */
export function socketOf({ flags, env }: Pick<Invocation, 'flags' | 'env'>): string {
  const { variable, default: usual } = hostSettings.socket;
  return typeof flags.socket === 'string' ? flags.socket : env[variable] || usual;
}
