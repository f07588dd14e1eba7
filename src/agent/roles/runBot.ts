import { systemClock } from '../../base/clock.ts';
import type { Invocation } from '../../base/command/command.ts';
import { MUCH_BYTES, releaseWhenQuiet } from '../../base/releaseWhenQuiet.ts';
import { botEnvironment } from '../../bot/kinds/botEnv.ts';
import { botRequest } from '../../bot/kinds/botRequest.ts';
import type { Restored } from '../../bot/state/local/restoreReport.ts';
import type { PulledState } from '../process/messages.ts';
import { processSelf } from '../process/processSelf.ts';
import { refuseTakenOver } from '../process/takenOver.ts';
import { type Guard, startGuard } from '../supervisor/guard/guard.ts';
import { execute } from '../supervisor/life/execute.ts';
import { writeExitRecord } from '../supervisor/life/exitRecord.ts';
import type { Pulled } from '../supervisor/life/life.ts';
import type { SignalSource } from '../supervisor/stop/stopRequest.ts';
import type { LoadedBot } from './loadBot.ts';
import { openBotStores } from './openBotStores.ts';
import { pullsItself } from './pullsItself.ts';

/** What this process does itself; the rest is left to sidecars. */
export interface Parts {
  readonly sync: boolean;
  readonly queryServer: boolean;
}

export interface RunOptions {
  /** One that has been started for this life. */
  readonly guard?: Guard | undefined;
  readonly signals?: SignalSource;
}

/** One life of a bot in this process: from the configuration to the record of how it ended. Resolves with the exit code. */
export async function runBot(
  bot: LoadedBot,
  { stdout, stderr }: Invocation,
  parts: Parts,
  { guard = startGuard(processSelf()), signals = process }: RunOptions = {},
): Promise<number> {
  const { config, env, log } = bot;
  const request = botRequest(config);
  const { createCapture } = await import('../supervisor/capture/createCapture.ts');
  const { record, error } = await execute({
    config,
    kind: bot.kinds.get(config.kind),
    request,
    botEnvironment: (launch) =>
      botEnvironment({
        containerEnv: env,
        request,
        launch,
        otherUser: config.user !== undefined,
      }),
    roleEnvironment: env,
    self: processSelf(),
    pull: async (signal, emit, onState) => {
      if (!parts.sync && !pullsItself(config)) {
        refuseTakenOver(config.paths.logs);
        return undefined;
      }
      const { pullBot } = await import('./pullBot.ts');
      const stores = await openBotStores(config, log);
      let isHandedOn = false;
      const restored: Pulled['restored'] = { snapshot: undefined };
      const handOn = (state: PulledState, kept: boolean, snapshot: Restored['snapshot']) => {
        isHandedOn = parts.sync;
        restored.snapshot = snapshot;
        if (parts.sync) onState({ state, stores, restored, kept });
      };
      try {
        const state = await pullBot(bot, { stores, signal, emit, clock: systemClock, onState: handOn });
        if (parts.sync) return { state, stores, restored };
      } catch (error) {
        if (!isHandedOn) void stores.close();
        throw error;
      }
      // A sidecar goes on from here, in a generation of its own.
      void stores.close();
      return undefined;
    },
    capture: createCapture({
      dir: config.paths.logs,
      stdout,
      stderr,
      clock: systemClock,
      log,
      onCaptured: releaseWhenQuiet(MUCH_BYTES),
      ...(parts.sync ? {} : { holdMs: 0 }),
    }),
    guard,
    parts,
    signals,
    clock: systemClock,
    random: Math.random,
    log,
  });
  try {
    writeExitRecord(config.paths, config.botType, record);
  } catch (cause) {
    // A read-only root with a tmpfs on LOGS_PATH only: the exit code says it, too, and must stay what it is.
    log.warn(`${config.paths.exitFile} cannot be written: ${(cause as Error).message}`);
  }
  if (error) throw error;
  return record.exit;
}
