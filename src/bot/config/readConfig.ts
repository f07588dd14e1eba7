import { join } from 'node:path';
import type { Env } from '../../base/env.ts';
import { RuntimeError } from '../../base/errors.ts';
import { checkPaths } from './checkPaths.ts';
import type { CodeConfig, Config, Paths } from './config.ts';
import type { KnownKind } from './knownKind.ts';
import { insidePath } from './parsers.ts';
import { readAgent, readBotType } from './readAgent.ts';
import { readStore } from './readStore.ts';
import type { Task } from './task.ts';
import { quote, VariableReader } from './variableReader.ts';
import type { VariableName } from './variables.ts';

/**
 * The room of the configuration: everything that a bot's processes are told from outside, read once and checked at the border.
 *
 *   1. `botDirectory`, `readBotYaml`   what a bot's own folder says, as variables
 *   2. `mergeSources`                  one environment: flags override variables, variables override files
 *   3. `readConfig`                    that environment as a frozen `Config`; all problems at once, in one error
 *
 * `variables` is the table of all variables: name, flag, parser, default and meaning. `--help`, docs/configuration.md and the
 * check for typing errors are made from it. `parsers` read one text each and say what they expect. A variable `X_FILE` names a
 * file with the value of `X` (`secretFile`). What a task declares is read by `readTask`, a part: few bots have one.
 */

export interface ReadConfigOptions {
  readonly role: Role;
  readonly knownKinds: readonly KnownKind[];
  /** The runtime's own user: only root can start programs as another. */
  readonly uid: number;
  /** Whether stderr is a terminal. */
  readonly isTTY: boolean;
  /** Where values came from that are not environment variables: `bot.yaml:3`. */
  readonly origins?: Env;
}

/**
 * `execute` becomes an ephemeral query by `QUERY_PATH`. `execute-without-sync` and `query-server` may leave the store
 * to a sidecar; an `operator` names the bot, if any, on the command line.
 */
export type Role =
  | 'execute'
  | 'execute-without-sync'
  | 'query-server'
  | 'pulling-query-server'
  | 'daemon'
  | 'operator';

/** Whether others of the pod pull and save: this one then needs no store, and no credentials. */
function leavesStore(role: Role, isEphemeralQuery: boolean): boolean {
  return role === 'query-server' || (role === 'execute-without-sync' && !isEphemeralQuery);
}

/**
 * Reads the whole configuration from one environment (`mergeSources` makes it of flags, variables and files). Throws
 * one `config` error (78) that holds every problem, one line each.
 */
export async function readConfig(env: Env, options: ReadConfigOptions): Promise<Config> {
  const reader = new VariableReader(env, options.origins);
  const meant = options.knownKinds.find(({ id, aliases }) => [id, ...aliases].includes(env.RUNTIME ?? ''));
  for (const name of required(options.role, reader, meant)) if (!reader.has(name)) reader.missing(name);

  const botId = reader.read('BOT_ID') ?? '';
  const kind = await readKind(reader, options.knownKinds);
  const readEntrypoint = (name: 'ENTRYPOINT' | 'QUERY_ENTRYPOINT') =>
    kind?.entrypoint === 'file' ? reader.readAs(name, insidePath) : reader.text(name);
  const agent = readAgent(reader, kind);
  const code = readCode(reader);
  const paths = readPaths(reader);
  const store = readStore(reader, leavesStore(options.role, reader.has('QUERY_PATH')));
  for (const problem of checkPaths(paths, code, store)) reader.problem(problem);

  const config: Config = {
    botId,
    kind: kind?.id ?? '',
    entrypoint: readEntrypoint('ENTRYPOINT') ?? agent?.entrypoint ?? '',
    queryEntrypoint: readEntrypoint('QUERY_ENTRYPOINT'),
    botType: readBotType(reader, agent !== undefined),
    botConfig: reader.read('BOT_CONFIG'),
    task: await readTaskIfAny(reader, botId),
    wrap: reader.read('WRAP') ?? [],
    code,
    paths,
    store,
    buckets: {
      code: reader.read('MINIO_CODE_BUCKET'),
      state: reader.read('MINIO_STATE_BUCKET'),
      logs: reader.read('MINIO_LOGS_BUCKET'),
      results: reader.read('MINIO_QUERY_RESULTS_BUCKET'),
    },
    sync: {
      intervalMs: reader.read('SYNC_INTERVAL'),
      onChangeMs: reader.read('SYNC_ON_CHANGE'),
      keep: reader.read('STATE_KEEP'),
      freeze: reader.read('STATE_FREEZE'),
      exportTarGz: reader.read('STATE_EXPORT') === 'tar.gz',
      maxBytes: reader.read('MAX_STATE_SIZE_MB'),
      maxFileBytes: reader.read('MAX_STATE_FILE_SIZE_MB'),
    },
    query: {
      path: reader.read('QUERY_PATH'),
      params: reader.read('QUERY_PARAMS'),
      resultKey: reader.read('QUERY_RESULT_KEY'),
      port: reader.read('QUERY_PORT'),
      timeoutMs: reader.read('QUERY_TIMEOUT'),
      concurrency: reader.read('QUERY_CONCURRENCY'),
      token: reader.secret('QUERY_TOKEN'),
    },
    telemetry: readTelemetry(reader),
    agent,
    publishToken: reader.secret('PUBLISH_TOKEN'),
    startTimeoutMs: reader.read('START_TIMEOUT'),
    stopTimeoutMs: reader.read('STOP_TIMEOUT'),
    user: readUser(reader, options.uid),
    allowExperimental: reader.read('ALLOW_EXPERIMENTAL'),
    log: {
      level: reader.read('LOG_LEVEL'),
      format: reader.read('LOG_FORMAT') ?? (options.isTTY ? 'text' : 'json'),
    },
  };
  if (reader.problems.length > 0) throw configError(reader.problems);
  return deepFreeze(config);
}

/** One error of everything that is wrong. */
export function configError(problems: readonly string[]): RuntimeError {
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
  return new RuntimeError('config', `the configuration has ${count}:`, { op: 'config.read', problems });
}

/** `kind`: the one that is named, where there is such. */
function required(role: Role, reader: VariableReader, kind: KnownKind | undefined): readonly VariableName[] {
  if (role === 'operator') return [];
  if (role === 'daemon') return ['BOT_ID'];
  const isServed =
    reader.has('MESSAGE_ENTRYPOINT') || reader.hasSecret('PUBLISH_TOKEN') || kind?.agent !== undefined;
  if (role === 'query-server' || role === 'pulling-query-server')
    return ['BOT_ID', 'RUNTIME', ...(isServed ? [] : (['QUERY_ENTRYPOINT'] as const))];
  if (kind?.entrypoint === 'none' || reader.has('MESSAGE_ENTRYPOINT')) return ['BOT_ID', 'RUNTIME'];
  const program = reader.has('QUERY_PATH') && reader.has('QUERY_ENTRYPOINT') ? [] : (['ENTRYPOINT'] as const);
  return ['BOT_ID', 'RUNTIME', ...program];
}

async function readKind(reader: VariableReader, known: readonly KnownKind[]): Promise<KnownKind | undefined> {
  const name = reader.read('RUNTIME');
  if (name === undefined || known.length === 0) return undefined;
  const kind = known.find(({ id, aliases }) => id === name || aliases.includes(name));
  if (kind?.problems !== undefined) {
    for (const problem of kind.problems) reader.problem(`RUNTIME=${quote(name)}: ${problem}`);
    return undefined;
  }
  if (kind !== undefined) return kind;
  const { knownNames } = await import('../../base/parts/suggest.ts');
  const names = known.flatMap(({ id, aliases, problems }) => (problems ? [] : [id, ...aliases]));
  reader.problem(`RUNTIME=${quote(name)} is not a known kind; ${knownNames(name, names)}`);
  return undefined;
}

/** Few bots declare one. */
async function readTaskIfAny(reader: VariableReader, botId: string): Promise<Task> {
  if (!reader.has('TASK')) return { name: botId, inputs: [], outputs: [], args: [] };
  const { readTask } = await import('./parts/readTask.ts');
  return readTask(reader, botId);
}

function readTelemetry(reader: VariableReader): Config['telemetry'] {
  const url = reader.read('TELEMETRY_URL');
  const token = reader.secret('TELEMETRY_TOKEN');
  const format = reader.read('TELEMETRY_FORMAT') ?? 'runtime';
  return url === undefined ? undefined : { url, token, format };
}

function readCode(reader: VariableReader): CodeConfig {
  return {
    file: reader.read('CODE_FILE'),
    sha256: reader.read('CODE_SHA256'),
    cache: reader.read('CODE_CACHE'),
    maxBytes: reader.read('MAX_CODE_SIZE_MB'),
  };
}

function readPaths(reader: VariableReader): Paths {
  const state = reader.read('STATE_PATH');
  const logs = reader.read('LOGS_PATH');
  return {
    code: reader.read('CODE_PATH'),
    state,
    stateDir: reader.read('STATE_DIR') ?? join(state, '.the0-state'),
    logs,
    exitFile: join(logs, '..', 'exit.json'),
    doneFile: join(logs, '..', 'done'),
    kinds: reader.read('KINDS_PATH'),
  };
}

function readUser(reader: VariableReader, uid: number): Config['user'] {
  const user = reader.read('BOT_USER') ?? (uid === 0 ? { uid: 1000, gid: 1000 } : 'none');
  if (user === 'none') return undefined;
  if (uid === 0) return user;
  if (user.uid !== uid) {
    reader.problem(`BOT_USER="${user.uid}:${user.gid}" needs root, and the runtime was started as ${uid}`);
  }
  return undefined;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    for (const inner of Object.values(value)) deepFreeze(inner);
    Object.freeze(value);
  }
  return value;
}
