import { RuntimeError } from '../../../base/errors.ts';
import type { Logger } from '../../../base/log.ts';
import type { Config } from '../../../bot/config/config.ts';
import type { Kind, LaunchRequest } from '../../../bot/kinds/kind.ts';
import type { Self } from '../../process/roleProcess.ts';
import { makeOutputPipes } from '../capture/outputPipes.ts';
import { type Guard, startGuard } from '../guard/guard.ts';
import { type BotProcess, startBot } from './botProcess.ts';

export interface StartUpOptions<Pulled> {
  readonly config: Config;
  readonly kind: Kind;
  readonly request: LaunchRequest;
  readonly self: Self;
  /** Whether the interpreter may be started before the code is there (`mayStartEarly`). */
  readonly early: boolean;
  readonly environment: (launch: ReturnType<Kind['launch']>) => Readonly<Record<string, string>>;
  readonly pull: (signal: AbortSignal) => Promise<Pulled>;
  /** Called as soon as there is a process: its output must be read from its first byte. */
  readonly onProcess: (bot: BotProcess) => void;
  /** Aborted by SIGTERM and SIGINT. */
  readonly stop: AbortSignal;
  readonly log: Logger;
}

export interface StartedUp<Pulled> {
  readonly bot: BotProcess;
  /** Ends the bot when we die. */
  readonly guard: Guard;
  readonly pulled: Pulled;
}

/**
 * Pulls while the bot's interpreter already loads, and lets it run the bot when all is there. Throws what the pull or
 * the kind threw, when nothing of the bot is left; `interrupted` (143) when we were stopped meanwhile.
 */
export async function startUp<Pulled>(options: StartUpOptions<Pulled>): Promise<StartedUp<Pulled>> {
  const { config, kind, request, stop, log } = options;
  const launch = kind.launch(request);
  const failed = new AbortController();
  const pulling = options.pull(AbortSignal.any([stop, failed.signal]));
  // Looked at below; a pull that fails while the interpreter is being started is no unhandled rejection.
  pulling.catch(() => undefined);
  const start = async () => {
    const making = makeOutputPipes(config.paths.logs);
    // Before the bot: between its start and being guarded lies no more than a write.
    const guard = startGuard(options.self);
    const pipes = await making;
    const bot = startBot({ launch, env: options.environment(launch), user: config.user, pipes });
    guard.add(bot.pid);
    options.onProcess(bot);
    log.debug('process started');
    return { bot, guard };
  };
  let early: { readonly bot: BotProcess; readonly guard: Guard } | undefined;
  try {
    early = options.early ? await start() : undefined;
    const pulled = await Promise.race([pulling, ...(early ? [failureOf(early.bot)] : [])]);
    await kind.verify(request);
    stop.throwIfAborted();
    const started = early ?? (await start());
    started.bot.go();
    log.debug('bot may run');
    return { ...started, pulled };
  } catch (error) {
    failed.abort(error);
    early?.bot.signal('SIGKILL');
    await Promise.allSettled([pulling, early?.bot.ended]);
    early?.guard.close();
    if (stop.aborted) throw new RuntimeError('interrupted', 'stopped before the bot ran', { cause: error });
    throw error;
  }
}

/** An interpreter that ends before it was told to go on will never run the bot: no need to pull to the end. */
async function failureOf(early: BotProcess): Promise<never> {
  const end = await early.ended;
  throw (
    end.error ??
    new RuntimeError('internal', `the interpreter ended before the bot ran (${end.signal ?? end.code})`, {
      op: 'bot.start',
    })
  );
}
