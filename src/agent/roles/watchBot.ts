import { systemClock } from '../../base/clock.ts';
import type { Invocation } from '../../base/command/command.ts';
import { asRuntimeError, isRuntimeError } from '../../base/errors.ts';
import { whenAborted } from '../../base/whenAborted.ts';
import type { LoadedBot } from './loadBot.ts';
import { type Parts, runBot } from './runBot.ts';
import { runSignals } from './runSignals.ts';

/** A save often touches several files: wait until it is quiet, milliseconds. */
const SETTLE_MS = 150;
const STOPPING = ['SIGINT', 'SIGTERM'] as const;

export interface WatchOptions {
  readonly bot: LoadedBot;
  /** Reads the bot's files again. */
  readonly reload: () => Promise<LoadedBot>;
  readonly parts: Parts;
}

/**
 * Runs the bot again whenever its code changes, until SIGINT or SIGTERM. Each run saves its state as ever. Throws `fenced`:
 * a run that took the bot back from whoever has taken it would only be taken over again.
 */
export async function watchBot(
  { bot, reload, parts }: WatchOptions,
  invocation: Invocation,
): Promise<number> {
  const { watch } = await import('../../base/parts/chokidar.ts');
  const { log, config } = bot;
  const quit = new AbortController();
  let signals = runSignals();
  for (const signal of STOPPING) {
    process.on(signal, () => {
      quit.abort();
      signals.stop();
    });
  }
  let changed = Promise.withResolvers<string>();
  const watcher = watch(config.paths.code, {
    ignoreInitial: true,
    ignored: (path) =>
      /(^|\/)(\.runtime|\.git|node_modules|__pycache__)(\/|$)/.test(path.slice(config.paths.code.length)),
  });
  watcher.on('all', (_event, path) => changed.resolve(path));
  let code = 0;
  try {
    for (let load = async () => bot; !quit.signal.aborted; load = reload) {
      const { source, stop } = runSignals();
      signals = { source, stop };
      const change = changed.promise;
      let hasChanged = false;
      void change.then(() => {
        hasChanged = true;
        stop();
      });
      code = await load()
        .then((loaded) => runBot(loaded, invocation, parts, { signals: source }))
        .catch((error: unknown) => {
          if (isRuntimeError(error, 'fenced')) throw error;
          const { message, problems, exitCode } = asRuntimeError(error);
          for (const line of [message, ...problems]) log.error(line);
          return exitCode;
        });
      if (quit.signal.aborted) break;
      if (!hasChanged) log.info(`the bot ended with ${code}; waiting for a change of its code`);
      const path = await Promise.race([change, whenAborted(quit.signal)]);
      await systemClock.sleep(SETTLE_MS, quit.signal).catch(() => undefined);
      changed = Promise.withResolvers();
      if (!quit.signal.aborted) log.info(`changed: ${path}; running the bot again`);
    }
  } finally {
    await watcher.close();
  }
  return code;
}
