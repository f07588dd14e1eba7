import type { Env } from '../../../../src/base/env.ts';
import { RuntimeError } from '../../../../src/base/errors.ts';
import type { KnownKind } from '../../../../src/bot/config/knownKind.ts';
import { type ReadConfigOptions, readConfig } from '../../../../src/bot/config/readConfig.ts';

export const knownKinds: readonly KnownKind[] = [
  { id: 'python3.11', aliases: [], entrypoint: 'file' },
  { id: 'gcc13', aliases: ['cpp-gcc13'], entrypoint: 'file' },
  { id: 'command', aliases: [], entrypoint: 'text' },
];

/** The least that `execute` needs. */
export const least: Env = {
  BOT_ID: 'bot',
  RUNTIME: 'python3.11',
  ENTRYPOINT: 'main.py',
  STORE_URL: 'file:///srv/store',
};

export function read(env: Env, options: Partial<ReadConfigOptions> = {}) {
  return readConfig(env, { role: 'execute', knownKinds, uid: 0, isTTY: false, ...options });
}

/** Every problem that reading finds; none when it succeeds. */
export async function problemsOf(
  env: Env,
  options: Partial<ReadConfigOptions> = {},
): Promise<readonly string[]> {
  try {
    await read(env, options);
    return [];
  } catch (error) {
    if (error instanceof RuntimeError && error.exitCode === 78) return error.problems;
    throw error;
  }
}
