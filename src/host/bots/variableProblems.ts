import type { BotSpec } from './botSpec.ts';

/** Bytes: the kernel starts no program with a variable of 128 KiB, its name and end included (execve(2), MAX_ARG_STRLEN). */
export const LONGEST_VARIABLE = 128 * 1024 - 64;

/** What a bot is given as variables and what none can be: its containers would be made, and none would ever start. */
export function variableProblems({ config, task = '', entrypoints, env }: Omit<BotSpec, 'code'>): string[] {
  const given = { config, task, 'entrypoints.bot': entrypoints.bot };
  const own = Object.entries(env).map(([name, value]) => [`env.${name}`, value] as const);
  return [...Object.entries(given), ...own].flatMap(([field, value]) => [
    ...(Buffer.byteLength(value) > LONGEST_VARIABLE
      ? [`${field}: longer than ${LONGEST_VARIABLE} bytes, as one line of JSON or text`]
      : []),
    ...(value.includes('\0') ? [`${field}: has a zero byte in it`] : []),
  ]);
}
