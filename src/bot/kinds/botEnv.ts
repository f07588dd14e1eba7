import { withoutCredentials } from '../config/withoutCredentials.ts';
import type { Kind, Launch, LaunchRequest } from './kind.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface BotEnvironmentOptions {
  readonly containerEnv: Environment;
  readonly request: LaunchRequest;
  readonly launch: Launch;
  /** The program runs as another user than the container started as: `HOME` is then that of the wrong one. */
  readonly otherUser: boolean;
  /** What only this program gets: the variables of an ephemeral query, `THE0_QUERY_PORT`. Wins over everything. */
  readonly extra?: Readonly<Record<string, string>>;
}

/** The environment of a bot or a query program. Contract, section 2. */
export function botEnvironment(options: BotEnvironmentOptions): Record<string, string> {
  const { request } = options;
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(withoutCredentials(options.containerEnv))) {
    if (value !== undefined && !isWithheld(name, value, options)) environment[name] = value;
  }
  return {
    ...environment,
    // Of those that any user can write to, the one that is never saved or part of the code.
    ...(options.otherUser ? { HOME: '/tmp' } : {}),
    BOT_ID: request.botId,
    BOT_CONFIG: request.botConfig,
    BOT_TYPE: request.botType,
    STATE_DIR: request.stateDir,
    CODE_MOUNT_DIR: request.codePath.replace(/^\/+/, ''),
    SCRIPT_PATH: request.entrypoint,
    ENTRYPOINT_TYPE: request.role,
    ...options.launch.env,
    ...options.extra,
  };
}

const withheld = new Set([
  // Set, even empty, they make the SDKs answer a query instead of running the bot.
  'QUERY_PATH',
  'QUERY_PARAMS',
  'QUERY_RESULT_KEY',
  'THE0_QUERY_PORT',
  // Ours as a child of Node: a Node bot would take file descriptors of its own for an IPC channel.
  'NODE_CHANNEL_FD',
  'NODE_CHANNEL_SERIALIZATION_MODE',
  'NODE_UNIQUE_ID',
]);

function isWithheld(name: string, value: string, options: BotEnvironmentOptions): boolean {
  if (withheld.has(name) || name.startsWith('QUERY_PARAM_')) return true;
  if (options.otherUser && (name === 'USER' || name === 'LOGNAME')) return true;
  return name === 'STORE_URL' && value.includes('@');
}

/**
 * Whether the kind's interpreter may be started before the code is there, given the bot's environment: not when it
 * is told to load files of its own at its start, which may be part of the code.
 */
export function mayStartEarly(kind: Kind, environment: Environment): boolean {
  const preloads = /(^|\s|")(-r|--require|--import|--loader|--experimental-loader)\b/;
  return kind.startsEarly && !preloads.test(environment.NODE_OPTIONS ?? '') && !environment.LD_PRELOAD;
}
