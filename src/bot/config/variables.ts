import { botUser } from './botUser.ts';
import { duration, durationOrZero } from './duration.ts';
import { integer, oneOf, type Parser } from './parser.ts';
import {
  absolutePath,
  anyText,
  botId,
  bucketName,
  exactJsonObject,
  flag,
  httpUrl,
  json,
  jsonObject,
  megabytes,
  objectKey,
  sha256,
  words,
} from './parsers.ts';

/** One environment variable. This table is what is read, what `--help` offers, and what the documentation lists. */
export interface Variable<T, Default extends string | undefined> {
  readonly parser: Parser<T>;
  readonly default: Default;
  readonly meaning: string;
  /** The value never reaches a message; `secret` is also kept from the command line and may come as `…_FILE`. */
  readonly shown: 'value' | 'nothing' | 'secret';
}

const optional = <T>(parser: Parser<T>, meaning: string, shown: 'value' | 'nothing' = 'value') =>
  ({ parser, default: undefined, meaning, shown }) satisfies Variable<T, undefined>;

const defaulted = <T>(
  parser: Parser<T>,
  text: string,
  meaning: string,
  shown: 'value' | 'nothing' = 'value',
) => ({ parser, default: text, meaning, shown }) satisfies Variable<T, string>;

const secret = (meaning: string) =>
  ({ parser: anyText, default: undefined, meaning, shown: 'secret' }) satisfies Variable<string, undefined>;

/** What is kept is named in the head, which is refused when it is longer than 4 MiB: some 200 bytes each. */
export const MAX_KEEP = 10_000;

export const variables = {
  BOT_ID: optional(botId, "the bot's id"),
  RUNTIME: optional(anyText, 'the kind of runtime; `runtime kinds` lists them'),
  ENTRYPOINT: optional(
    anyText,
    "the bot's program, relative to the code path; for some kinds a command or a text",
  ),
  BOT_TYPE: defaulted(oneOf('realtime', 'scheduled'), 'scheduled', '`realtime` or `scheduled`'),
  IS_SCHEDULED: defaulted(flag, 'false', '`true` means `BOT_TYPE=scheduled`'),
  BOT_CONFIG: defaulted(json, '{}', "the bot's configuration, JSON", 'nothing'),
  TASK: optional(jsonObject, "the task's name, inputs and outputs, JSON", 'nothing'),
  WRAP: optional(
    words,
    'words before the command of bot and query program, a JSON list: `["nice","-n","5"]`',
  ),
  CODE_FILE: optional(objectKey, 'key of the code archive; without it the code is already at the code path'),
  CODE_SHA256: optional(sha256, 'refuse any other archive'),
  CODE_CACHE: optional(
    absolutePath,
    'keeps unpacked archives by content, shared between containers of a host',
  ),
  CODE_PATH: defaulted(absolutePath, '/bot', 'where the code lives'),
  STATE_PATH: defaulted(absolutePath, '/state', 'where the state lives'),
  STATE_DIR: optional(absolutePath, 'where the SDKs keep `<key>.json`; default `$STATE_PATH/.the0-state`'),
  LOGS_PATH: defaulted(
    absolutePath,
    '/var/the0/logs',
    'where logs are kept; `exit.json` and `done` are next to it',
  ),
  STORE_URL: optional(anyText, '`file:///path` or `s3://`; default: what `MINIO_*` says'),
  MINIO_ENDPOINT: optional(anyText, '`host:port`, or a URL'),
  MINIO_ACCESS_KEY: secret('access key of the store'),
  MINIO_SECRET_KEY: secret('secret key of the store'),
  MINIO_KEYS_FILE: optional(
    absolutePath,
    'instead of the two keys: a file of sealed ones that a host renews',
  ),
  MINIO_KEYS_SEAL: secret('opens them'),
  MINIO_USE_SSL: optional(flag, 'HTTPS; default: what a URL as endpoint says, else `false`'),
  MINIO_REGION: defaulted(anyText, 'us-east-1', 'region'),
  MINIO_CODE_BUCKET: defaulted(bucketName, 'custom-bots', 'bucket of code archives'),
  MINIO_STATE_BUCKET: defaulted(bucketName, 'bot-state', 'bucket of states'),
  MINIO_LOGS_BUCKET: defaulted(bucketName, 'bot-logs', 'bucket of logs'),
  MINIO_QUERY_RESULTS_BUCKET: defaulted(bucketName, 'query-results', 'bucket of query results'),
  SYNC_INTERVAL: defaulted(duration, '60s', 'hash and upload at least this often'),
  SYNC_ON_CHANGE: defaulted(
    durationOrZero,
    '2s',
    'also this long after the last change of a burst; `0`: not',
  ),
  STATE_KEEP: defaulted(integer(1, MAX_KEEP), '10', 'snapshots kept, at most 10000'),
  STATE_FREEZE: defaulted(
    oneOf('auto', 'off'),
    'auto',
    '`auto` or `off`: stop the bot for a consistent picture',
  ),
  STATE_EXPORT: optional(oneOf('tar.gz'), '`tar.gz`: also keep `<bot>/state.tar.gz` current'),
  MAX_STATE_SIZE_MB: defaulted(megabytes, '8192', 'limit on the state'),
  MAX_STATE_FILE_SIZE_MB: optional(megabytes, 'limit on each of its files'),
  MAX_CODE_SIZE_MB: defaulted(megabytes, '2048', 'limit on the code, packed and unpacked'),
  START_TIMEOUT: defaulted(durationOrZero, '60s', 'how long pulling may be retried'),
  STOP_TIMEOUT: defaulted(duration, '10s', 'from SIGTERM to exit, final sync included'),
  QUERY_ENTRYPOINT: optional(anyText, 'the program that answers queries'),
  QUERY_PATH: optional(anyText, 'answer this one query and exit'),
  QUERY_PARAMS: defaulted(exactJsonObject, '{}', 'its parameters, a JSON object', 'nothing'),
  QUERY_RESULT_KEY: optional(objectKey, 'also upload its answer under this key'),
  QUERY_PORT: defaulted(integer(0, 65_535), '9476', "the query server's port; `0`: any free one"),
  QUERY_TIMEOUT: defaulted(duration, '30s', 'how long an answer may take'),
  QUERY_CONCURRENCY: defaulted(integer(1, 100_000), '64', 'queries at the same time'),
  QUERY_TOKEN: secret('required of callers as `Authorization: Bearer`'),
  PUBLISH_TOKEN: secret('required of who has the state published at once; without it nobody may'),
  TELEMETRY_URL: optional(httpUrl, "where an agent's usage is told of"),
  TELEMETRY_TOKEN: secret('told to it as `Authorization: Bearer`'),
  TELEMETRY_FORMAT: optional(oneOf('hydracore'), "`hydracore`: under that platform's names"),
  MESSAGE_ENTRYPOINT: optional(anyText, 'the program that answers messages: the bot is an agent'),
  AGENT_TOKEN: secret('required of who talks to an agent, as `Authorization: Bearer`; default `QUERY_TOKEN`'),
  AGENT_TIMEOUT: defaulted(duration, '10m', "how long an agent's turn may take"),
  AGENT_CONCURRENCY: defaulted(integer(1, 1000), '4', 'turns of an agent at the same time'),
  KINDS_PATH: defaulted(absolutePath, '/etc/runtime/kinds.d', 'manifests of further kinds'),
  ALLOW_EXPERIMENTAL: defaulted(flag, 'false', 'run kinds that are experimental'),
  BOT_USER: optional(
    botUser,
    '`uid[:gid]` of bot and query programs; default as root `1000:1000`, else `none`',
  ),
  LOG_LEVEL: defaulted(oneOf('debug', 'info', 'warn', 'error'), 'info', '`debug`, `info`, `warn` or `error`'),
  LOG_FORMAT: optional(oneOf('text', 'json'), '`text` or `json`; default `text` on a terminal, else `json`'),
} as const;

export type Variables = typeof variables;
export type VariableName = keyof Variables;

/** What reading a variable yields: undefined only where it has no default. */
export type ValueOf<Name extends VariableName> =
  Variables[Name] extends Variable<infer T, infer Default>
    ? Default extends string
      ? T
      : T | undefined
    : never;

/** `SYNC_INTERVAL` is the flag `--sync-interval`. Secrets have none: a command line is public. */
export function flagOf(name: VariableName): string | undefined {
  if (variables[name].shown === 'secret') return undefined;
  return name === 'QUERY_PATH' ? 'query' : name.toLowerCase().replaceAll('_', '-');
}
