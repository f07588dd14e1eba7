import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Invocation } from '../base/command/command.ts';

/** What says which store is meant; beside it a bare name is a bot's id. */
const storeVariables = ['STORE_URL', 'MINIO_ENDPOINT'] as const;

/**
 * The directory of a bot that `execute DIR` has run, where a command's BOT means one: a path (`./my-bot`, `.`), or a name where
 * no store is configured. The commands then work on the store in it.
 */
export function localDirectory(
  bot: string,
  { cwd, env, flags }: Pick<Invocation, 'cwd' | 'env' | 'flags'>,
): string | undefined {
  const isConfigured =
    storeVariables.some((name) => env[name]) || Boolean(flags['store-url'] || flags['minio-endpoint']);
  if (isConfigured && !bot.includes('/') && bot !== '.') return undefined;
  return existsSync(join(resolve(cwd, bot), '.runtime', 'store')) ? bot : undefined;
}
