import type { Env } from '../../base/env.ts';
import { flagOf, type VariableName, variables } from './variables.ts';

/** What a bot's directory says, as variables. */
export interface FileSource {
  /** Used where neither a flag nor a variable says otherwise. */
  readonly defaults: Env;
  /** What naming the directory on the command line settles; empty: not set, whatever the environment says. */
  readonly settled: Env;
  /** Where a default stands: `bot.yaml:3`. */
  readonly origins: Env;
}

export type Flags = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

export interface MergedSources {
  readonly env: Readonly<Record<string, string>>;
  readonly origins: Env;
}

/**
 * One environment from three sources: flags beat variables beat files. It is what `readConfig` reads and what the
 * runtime's own processes get, so that all of them see the same configuration. The runtime's variables that are empty
 * are left out; others stay as they are.
 */
export function mergeSources(sources: { env: Env; flags: Flags; files?: FileSource }): MergedSources {
  const { env, flags, files } = sources;
  const known = Object.keys(variables) as VariableName[];
  const origins: Record<string, string | undefined> = { ...files?.origins };
  const said: Record<string, string | undefined> = { ...env };
  for (const name of known) {
    const flag = flagOf(name);
    const given = flag === undefined ? undefined : flags[flag];
    if (given !== undefined) said[name] = String(given);
    if (given !== undefined) origins[name] = `--${flag}`;
    else if (said[name]) delete origins[name];
  }
  // The older way to say the type: a flag beats it.
  if (flags['bot-type'] !== undefined) delete said.IS_SCHEDULED;
  Object.assign(said, files?.settled);
  const ours = new Set(known.flatMap((name) => [name, `${name}_FILE`]));
  const merged: Record<string, string> = {};
  for (const [name, value] of [...Object.entries(files?.defaults ?? {}), ...Object.entries(said)]) {
    if (value !== undefined && (value !== '' || !ours.has(name))) merged[name] = value;
  }
  return { env: merged, origins };
}
