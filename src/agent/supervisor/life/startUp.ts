import { RuntimeError } from '../../../base/errors.ts';
import { mayStartEarly } from '../../../bot/kinds/botEnv.ts';
import type { Launch } from '../../../bot/kinds/kind.ts';
import { TO_RUN, TO_WRITE } from '../../process/capabilities.ts';
import { requireProcesses } from '../../process/processLimit.ts';
import { withBytes } from '../../process/withBytes.ts';
import { makeOutputPipes, type OutputPipes } from '../capture/outputPipes.ts';
import { type BotProcess, startBot } from './botProcess.ts';
import { removeExitRecord } from './exitRecord.ts';
import type { KeepAgentOptions, KeptAgent } from './keepAgent.ts';
import type { Life, Pulled } from './life.ts';
import { preparePaths } from './preparePaths.ts';

export interface Started extends Life {
  readonly bot: BotProcess & Partial<Pick<KeptAgent, 'agent'>>;
  /** Undefined: a sidecar has pulled. */
  readonly pulled: Pulled | undefined;
}

/**
 * Pulls while the bot's interpreter loads, and lets the interpreter run the bot when code and state are there. Throws what the pull or the
 * kind has thrown, once no process of the bot is left; `interrupted` (143) where a stop came meanwhile.
 */
export async function startUp(life: Life): Promise<Started> {
  const { config, kind, request, relay, log } = life;
  const stop = life.stop.requested;
  preparePaths(config, life.parts.sync ? [...TO_RUN, ...TO_WRITE] : TO_RUN);
  // The bot's process is started once they are there: that is asked for before all else.
  const pipes = makeOutputPipes(config.paths.logs, life.guard.makeFifos);
  removeExitRecord(config.paths);
  requireProcesses(life.processLimit);
  // Few bots are agents.
  const agents = config.agent && (await import('./parts/keptAgent.ts'));
  const endpoint = await agents?.newEndpoint(kind.agent);
  const plain = await kind.launch({ ...request, ...(endpoint && { endpoint }) });
  const launch = { ...plain, argv: await withBytes(plain.argv, life.botEnvironment(plain)) };
  const start: StartAgent | undefined = agents && ((options) => agents.keepAgent({ ...options, endpoint }));
  const failed = new AbortController();
  const pulling = life.pull(AbortSignal.any([stop, failed.signal]), relay.emit, life.hold);
  // Its result is looked at below. Without this, a pull that fails while the interpreter is started would be an unhandled rejection.
  pulling.catch(() => undefined);
  let bot: Started['bot'] | undefined;
  try {
    if (mayStartEarly(kind, life.roleEnvironment)) {
      // Its fork holds this thread up. The first request has gone before it, and is answered meanwhile (`pull`).
      bot = startGuarded(life, launch, await pipes, start);
    }
    const pulled = await Promise.race([pulling, ...(bot ? [failureOf(bot)] : [])]);
    await kind.verify(request);
    stop.throwIfAborted();
    bot ??= startGuarded(life, launch, await pipes, start);
    bot.go();
    // From here on the phases after this one save the state.
    life.hold(undefined);
    log.debug('bot may run');
    relay.emit('bot.started', { pid: bot.pid });
    return { ...life, bot, pulled };
  } catch (error) {
    failed.abort(error);
    bot?.signal('SIGKILL');
    await Promise.allSettled([pulling, bot?.ended]);
    life.guard.remove(bot?.pid);
    if (!bot) (await pipes)?.close();
    if (stop.aborted) throw new RuntimeError('interrupted', 'stopped before the bot ran', { cause: error });
    throw error;
  }
}

type StartAgent = (options: Omit<KeepAgentOptions, 'endpoint'>) => KeptAgent;
/** Starts the bot: only one write lies between that and the moment from which it is guarded. */
function startGuarded(
  life: Life,
  launch: Launch,
  pipes: OutputPipes | undefined,
  start?: StartAgent,
): Started['bot'] {
  const { config, guard, log } = life;
  const bot = start
    ? start({ life, guard, pipes, launch })
    : startBot({ launch, env: life.botEnvironment(launch), user: config.user, pipes });
  guard.add(bot.pid);
  life.adopt(bot);
  log.debug('process started');
  return bot;
}

/** An interpreter that ends before the bot may run will never run it: the pull need not go on. */
async function failureOf(early: BotProcess): Promise<never> {
  const { error, signal, code } = await early.ended;
  const message = `the interpreter ended before the bot ran (${signal ?? code})`;
  const details = { op: 'bot.start' };
  throw (
    error ??
    (signal === null
      ? new RuntimeError('not-executable', message, {
          ...details,
          hint: 'What it printed says why. NODE_OPTIONS, PYTHONHOME, LD_LIBRARY_PATH and their like reach it.',
        })
      : new RuntimeError('internal', message, details))
  );
}
