import { rmSync } from 'node:fs';
import { constants } from 'node:os';
import type { RuntimeError } from '../../../base/errors.ts';
import { replaceFile } from '../../../base/replaceFile.ts';
import type { Config, Paths } from '../../../bot/config/config.ts';

/** How the bot's own process ended. */
export interface BotExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** How many processes of the container the kernel has killed for memory during its life. */
  readonly oomKills: number;
}

/** `exit.json`. Contract, section 3. */
export interface ExitRecord {
  readonly source: 'bot' | 'runtime';
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The container's exit code. */
  readonly exit: number;
  readonly reason: string;
  readonly startedAt: string;
  readonly endedAt: string;
  /** It ended after a SIGTERM or SIGINT. */
  readonly stopped: boolean;
  readonly stateSaved: boolean;
  readonly logsSaved: boolean;
}

/** All that is known of a life's end. */
export interface Ending {
  /** Undefined: the bot never ran. */
  readonly bot: BotExit | undefined;
  /** Why the runtime itself ended the life; undefined where it did not. Wins over the bot's own code. */
  readonly error: RuntimeError | undefined;
  /** It had been told to end before it did. */
  readonly stopped?: boolean;
  /** What this container has saved. What a sidecar saves is not known here. */
  readonly stateSaved: boolean;
  readonly logsSaved: boolean;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly endedAt: number;
}

export function describeExit(ending: Ending): ExitRecord {
  const { bot, error } = ending;
  return {
    source: error ? 'runtime' : 'bot',
    code: bot?.code ?? null,
    signal: bot?.signal ?? null,
    exit: error?.exitCode ?? botExitCode(bot),
    reason: error ? [withHint(error), ...(bot?.oomKills ? [killedFor(bot)] : [])].join('; ') : botReason(bot),
    startedAt: new Date(ending.startedAt).toISOString(),
    endedAt: new Date(ending.endedAt).toISOString(),
    stopped: ending.stopped ?? false,
    stateSaved: ending.stateSaved,
    logsSaved: ending.logsSaved,
  };
}

/** Writes `exit.json` and, for scheduled bots, `done`. Nothing happens after it. */
export function writeExitRecord(
  paths: Pick<Paths, 'exitFile' | 'doneFile'>,
  botType: Config['botType'],
  record: ExitRecord,
): void {
  replaceFile(paths.exitFile, `${JSON.stringify(record)}\n`, { mode: 0o644 });
  if (botType === 'scheduled') replaceFile(paths.doneFile, `${record.exit}\n`, { mode: 0o644 });
}

/** Removes the records of an earlier life before a new one. */
export function removeExitRecord({ exitFile, doneFile }: Pick<Paths, 'exitFile' | 'doneFile'>): void {
  rmSync(exitFile, { force: true });
  rmSync(doneFile, { force: true });
}

/** Whether the kernel has killed the bot for memory, or the program that the bot's shell ran and whose exit code the shell passes on. */
export function isOutOfMemory(bot: BotExit | undefined): boolean {
  return bot !== undefined && bot.oomKills > 0 && (bot.signal === 'SIGKILL' || bot.code === 137);
}

function botExitCode(bot: BotExit | undefined): number {
  if (!bot) return 70;
  if (!bot.signal) return bot.code ?? 70;
  return 128 + (constants.signals[bot.signal] ?? Number(bot.signal.slice('SIG'.length)));
}

function botReason(bot: BotExit | undefined): string {
  if (isOutOfMemory(bot)) return 'out of memory';
  const end = bot?.signal ? `the bot was ended by ${bot.signal}` : ended(bot?.code);
  return bot?.oomKills ? `${killedFor(bot)}; ${end}` : end;
}

function killedFor({ oomKills }: BotExit): string {
  return `out of memory: ${oomKills} ${oomKills === 1 ? 'process was' : 'processes were'} killed`;
}

function ended(code: number | null | undefined): string {
  return code === 0 ? 'the bot ended' : `the bot ended with code ${code}`;
}

function withHint(error: RuntimeError): string {
  return [error.message, ...error.problems].join('; ');
}
