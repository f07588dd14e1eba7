import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';

/**
 * The command of a program that is to have `env`, of which Node has made U+FFFD where our own environment is not UTF-8.
 * `variables`: those of it, where they are not our own.
 */
export async function withBytes(
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  variables: readonly Buffer[] = notText(env),
): Promise<readonly string[]> {
  if (variables.length === 0) return argv;
  const { passBytes } = await import('./parts/bytes.ts');
  return passBytes(argv, env, variables);
}

/** The variables of our own environment, `NAME=value`, that are not UTF-8; `env`: what Node has made of it. */
export function notText(env: Readonly<Record<string, string>>): Buffer[] {
  if (!JSON.stringify(env).includes('\ufffd')) return [];
  const variables = readFileSync('/proc/self/environ', 'latin1').split('\0');
  return variables.map((variable) => Buffer.from(variable, 'latin1')).filter((bytes) => !isUtf8(bytes));
}
