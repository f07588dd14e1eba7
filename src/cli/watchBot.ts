import { EventEmitter } from 'node:events';
import { systemClock } from '../clock.ts';
import { asRuntimeError } from '../errors.ts';
import { whenAborted } from '../whenAborted.ts';
import type { Invocation } from './command.ts';
import type { LoadedBot } from './loadBot.ts';
import { type Parts, runBot } from './runBot.ts';

/** A save often touches several files: wait until it is quiet, milliseconds. */
const SETTLE_MS = 150;
const STOPPING = ['SIGINT', 'SIGTERM'] as const;

/** Runs the bot again whenever its code changes, until SIGINT or SIGTERM. Each run saves its state as ever. */
export async function watchBot(bot: LoadedBot, invocation: Invocation, parts: Parts): Promise<number> {
  const { watch } = await import('../parts/chokidar.ts');
  const { log, config } = bot;
  const quit = new AbortController();
  for (const signal of STOPPING) process.on(signal, () => quit.abort());
  let changed = Promise.withResolvers<string>();
  const watcher = watch(config.paths.code, {
    ignoreInitial: true,
    ignored: (path) =>
      /(^|\/)(\.runtime|\.git|node_modules|__pycache__)(\/|$)/.test(path.slice(config.paths.code.length)),
  });
  watcher.on('all', (_event, path) => changed.resolve(path));
  let code = 0;
  try {
    while (!quit.signal.aborted) {
      const run = new EventEmitter();
      const stop = () => void run.emit('SIGTERM');
      quit.signal.addEventListener('abort', stop);
      const change = changed.promise;
      let hasChanged = false;
      void change.then(() => {
        hasChanged = true;
        stop();
      });
      code = await runBot(bot, invocation, parts, run).catch((error: unknown) => {
        const { message, exitCode } = asRuntimeError(error);
        log.error(message);
        return exitCode;
      });
      quit.signal.removeEventListener('abort', stop);
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
