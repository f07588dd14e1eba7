import { systemClock } from '../../base/clock.ts';
import type { Invocation } from '../../base/command/command.ts';
import { stopSignal } from '../../base/command/stopSignal.ts';
import { asRuntimeError } from '../../base/errors.ts';
import { TO_RUN, TO_WRITE } from '../process/capabilities.ts';
import { processSelf } from '../process/processSelf.ts';
import type { QueryState } from '../query/once/queryState.ts';
import { startGuard } from '../supervisor/guard/guard.ts';
import { guardCurrent } from '../supervisor/guard/guardCurrent.ts';
import { preparePaths } from '../supervisor/life/preparePaths.ts';
import type { LoadedBot } from './loadBot.ts';
import { openBotStores } from './openBotStores.ts';

/**
 * One query of a bot that need not run: code and state are pulled, no generation is taken, nothing is saved. `scratch` is where
 * the state is put when `STATE_PATH` is in use.
 */
export async function ephemeralQuery(
  bot: LoadedBot,
  { stdout, stderr }: Invocation,
  scratch: string,
  guard = startGuard(processSelf()),
): Promise<number> {
  const { config, log } = bot;
  const { queryState, runEphemeralQuery } = await import('../query/parts/ephemeral.ts');
  const stores = await openBotStores(config, log);
  const signal = stopSignal();
  let state: QueryState | undefined;
  const prepare = async () => {
    state = queryState(bot.config, scratch);
    const { config, env } = state;
    preparePaths(config, [...TO_RUN, ...TO_WRITE]);
    const [{ pull }, { prepareProgram }] = await Promise.all([
      import('../../bot/sync/pull.ts'),
      import('../query/program/prepareProgram.ts'),
    ]);
    const emit = () => undefined;
    await pull(config, { stores, clock: systemClock, log, holder: undefined, emit, signal });
    const kind = bot.kinds.get(config.kind);
    // What it writes is never saved, so nothing has to be kept from it: it runs as the bot would.
    return await prepareProgram({
      config,
      kind,
      env: { ...bot.env, ...env },
      user: config.user,
      wrapper: [],
    });
  };
  const exitCode = await runEphemeralQuery({
    config,
    // The answer says what is wrong; what to do about it is nothing for whoever asked.
    prepare: () =>
      prepare().catch((error: unknown) => {
        const { message, hint } = asRuntimeError(error);
        if (hint !== undefined && !signal.aborted) log.error(message, { hint });
        throw error;
      }),
    upload: async (key, answer, inTime) => {
      const results = await stores.open('results');
      await results.put(key, answer, { contentType: 'application/json', signal: inTime });
    },
    stdout,
    stderr,
    clock: systemClock,
    signal,
    onProgram: guardCurrent(guard),
  });
  try {
    state?.remove();
  } catch (error) {
    // The answer stands all the same.
    log.warn(`the query's copy of the state cannot be removed: ${(error as Error).message}`);
  }
  return exitCode;
}
