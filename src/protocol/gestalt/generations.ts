/**
 * What Gestalt has called the same things since v0.0.1-alpha.6: the messages have kept their numbers, so one provider serves all. The newest
 * names are those of its SDK 0.0.1a29.
 */

type Env = Readonly<Record<string, string | undefined>>;

/** The provider's service. Until May 2026 what is hosted is a plugin (StartPlugin), since then an app (StartApp). */
export const RUNTIME_SERVICES = [
  'PluginRuntimeProvider',
  'AppRuntimeProvider',
  'RuntimeProvider',
  'Runtime',
] as const;

/** gestaltd's, which takes in what sessions print. */
export const LOG_HOSTS = ['PluginRuntimeLogHost', 'RuntimeLogHost', 'AppRuntimeLogHost'] as const;

export const OLDEST_PROTOCOL = 3;
export const NEWEST_PROTOCOL = 5;

/** Where whoever is started by gestaltd is to listen. */
export const SOCKETS = ['GESTALT_PLUGIN_SOCKET', 'GESTALT_PROVIDER_SOCKET'] as const;
export const NAMES = ['GESTALT_PLUGIN_NAME', 'GESTALT_APP_NAME'] as const;
export const PARENT_PIDS = ['GESTALT_PLUGIN_PARENT_PID', 'GESTALT_APP_PARENT_PID'] as const;
/** A socket of its own for the log host, since June 2026 one for all services of gestaltd. */
export const LOG_SOCKETS = ['GESTALT_RUNTIME_LOG_SOCKET', 'GESTALT_HOST_SERVICE_SOCKET'] as const;
export const HOST_SERVICE_TOKEN = 'GESTALT_HOST_SERVICE_TOKEN';

/** The first of these variables that is set. */
export function firstOf(env: Env, names: readonly string[]): string | undefined {
  return names.map((name) => env[name]).find((value) => value);
}
