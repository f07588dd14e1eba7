import { type LoadedBot, loadBot } from '../agent/roles/loadBot.ts';
import type { Invocation } from '../base/command/command.ts';
import { orFolder } from './localDirectory.ts';

export interface NamedBot {
  /** As it was given. */
  readonly name: string;
  /** Where `localDirectory` has found it; undefined: the name is a bot's. */
  readonly dir: string | undefined;
  /** See `LoadOptions`. */
  readonly speaker: string;
}

/** The bot that a command is about. Throws `config`, for a name that is no folder's as `orFolder` says. */
export async function loadNamed(
  invocation: Invocation,
  { name, dir, speaker }: NamedBot,
): Promise<LoadedBot> {
  try {
    return await loadBot(invocation, { role: 'operator', speaker, dir });
  } catch (error) {
    throw dir === undefined ? orFolder(error, name, invocation) : error;
  }
}
