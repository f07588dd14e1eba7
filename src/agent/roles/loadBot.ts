import { resolve } from 'node:path';
import { isatty } from 'node:tty';
import type { Invocation } from '../../base/command/command.ts';
import { asRuntimeError, isRuntimeError } from '../../base/errors.ts';
import { createLogger, type Logger } from '../../base/log.ts';
import type { BotDirectory } from '../../bot/config/botDirectory.ts';
import type { Config } from '../../bot/config/config.ts';
import type { KnownKind } from '../../bot/config/knownKind.ts';
import { type Flags, mergeSources } from '../../bot/config/mergeSources.ts';
import { flag, words } from '../../bot/config/parsers.ts';
import { configError, type Role, readConfig } from '../../bot/config/readConfig.ts';
import { variables } from '../../bot/config/variables.ts';
import { type KindMiddleware, wrap } from '../../bot/kinds/middleware.ts';
import type { Kinds } from '../../bot/kinds/registry.ts';
import type { RestoreOptions } from '../../bot/state/local/restoreReport.ts';

/** A bot as the command line, the environment and its files describe it. */
export interface LoadedBot {
  readonly config: Config;
  readonly kinds: Kinds;
  /** The one environment that all of our processes read their configuration from. Holds the credentials. */
  readonly env: Readonly<Record<string, string>>;
  readonly log: Logger;
  /** Told how far the pull of the state is, where somebody looks. */
  readonly onPulling?: RestoreOptions['onProgress'];
}

export interface LoadOptions {
  readonly role: Role;
  /** Which process speaks, in its messages. */
  readonly speaker: string;
  /** The bot's directory, for `execute DIR`. */
  readonly dir?: string | undefined;
  /** What was found on the way to here, for whoever runs it. */
  readonly warnings?: readonly string[];
}

/** Reads everything a role needs to know before it does anything. Throws `config` with all problems. */
export async function loadBot(invocation: Invocation, options: LoadOptions): Promise<LoadedBot> {
  const { flags } = invocation;
  const files = options.dir === undefined ? undefined : await readDirectory(options.dir, invocation);
  const { env, origins } = mergeSources({ env: invocation.env, flags, ...(files ? { files } : {}) });
  const { loadKinds } = await import('../../bot/kinds/registry.ts');
  const read = (knownKinds: readonly KnownKind[]) =>
    readConfig(env, {
      role: options.role,
      knownKinds,
      uid: process.getuid?.() ?? -1,
      // Not `stderr.isTTY`: that makes the stream, on the way to the bot's start.
      isTTY: isatty(2),
      origins,
    });
  const kinds = await loadKinds({
    manifestsDir: env.KINDS_PATH ?? variables.KINDS_PATH.default,
    allowExperimental: flag.parse(env.ALLOW_EXPERIMENTAL ?? '') === true,
    // What is wrong with it is told with everything else.
    middleware: [inputsFirst, wrap(words.parse(env.WRAP ?? '') ?? [])],
  }).catch(async (error: unknown) => {
    throw await withProblemsOf(read([]), error);
  });
  const warnings = [...(options.warnings ?? []), ...(files?.warnings ?? [])];
  const config = await read([
    ...kinds.all(),
    ...kinds.broken.map(({ names: [id = '', ...aliases], problems }) => ({
      id,
      aliases,
      entrypoint: 'text' as const,
      problems,
    })),
  ]).catch((error: unknown) => {
    // A field that is not read may be the one that is missing.
    throw isRuntimeError(error, 'config') ? configError([...error.problems, ...warnings]) : error;
  });
  const isPainted = config.log.format === 'text' && isatty(2) && !env.NO_COLOR && env.TERM !== 'dumb';
  const paint = isPainted ? (await import('./parts/paint.ts')).paint : (line: string) => line;
  const log = createLogger({
    ...config.log,
    role: options.speaker,
    now: Date.now,
    sinceStart: () => performance.now(),
    write: (line) => void invocation.stderr.write(paint(line)),
  });
  log.debug('configuration read');
  // What a process of ours starts has been told already.
  if (!process.send) {
    for (const problem of kinds.broken.flatMap(({ problems }) => problems))
      log.warn(`a kind is left out: ${problem}`);
  }
  // Who looks at what it has left behind does not run it.
  if (options.role !== 'operator') {
    for (const warning of warnings) log.warn(warning);
    for (const note of files?.notes ?? []) log.info(note);
  }
  return { config, kinds, env, log };
}

/** A bot whose inputs are not there is not run; a query program may come when the bot has used them up. */
const inputsFirst: KindMiddleware = {
  verify: async (request, next) => {
    if (request.role === 'bot' && request.task.inputs.length > 0) {
      const { inputsThere } = await import('../../bot/artifacts/parts/artifacts.ts');
      await inputsThere(request.task, request.codePath);
    }
    await next(request);
  },
};

/** What is wrong with the manifests of kinds, and with the configuration as far as it can be told without them. */
async function withProblemsOf(reading: Promise<unknown>, error: unknown): Promise<unknown> {
  if (!isRuntimeError(error, 'config')) return error;
  const more = await reading.then(
    () => [],
    (thrown: unknown) => asRuntimeError(thrown).problems,
  );
  return more.length === 0 ? error : configError([...error.problems, ...more]);
}

async function readDirectory(dir: string, { cwd, env, flags }: Invocation): Promise<BotDirectory> {
  const { botDirectory } = await import('../../bot/config/parts/directory.ts');
  return await botDirectory(resolve(cwd, dir), mergeSources({ env, flags: flags as Flags }).env);
}
