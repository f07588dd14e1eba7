import type { Clock } from '../../../base/clock.ts';
import { asRuntimeError, RuntimeError } from '../../../base/errors.ts';
import type { Logger } from '../../../base/log.ts';
import { releaseMemory } from '../../../base/releaseMemory.ts';
import { whenAborted } from '../../../base/whenAborted.ts';
import type { Config } from '../../../bot/config/config.ts';
import type { EventSink } from '../../../bot/events/event.ts';
import { mayStartEarly } from '../../../bot/kinds/botEnv.ts';
import type { Kind, Launch, LaunchRequest } from '../../../bot/kinds/kind.ts';
import type { PublishReport } from '../../../bot/state/publish/publishReport.ts';
import type { FinishOutcome } from '../../../bot/sync/finishOutcome.ts';
import type { PulledState } from '../../process/messages.ts';
import type { Self } from '../../process/roleProcess.ts';
import { whenTakenOver } from '../../process/takenOver.ts';
import type { Capture } from '../capture/createCapture.ts';
import type { Guard } from '../guard/guard.ts';
import { endLeftovers, stopBot } from '../stop/stopBot.ts';
import { type StopBudget, startStop, syncBudgetMs } from '../stop/stopBudget.ts';
import { listenForStop, type SignalSource, type StopRequest } from '../stop/stopRequest.ts';
import type { BotProcess } from './botProcess.ts';
import { linkDaemon } from './daemonLink.ts';
import { createEventRelay, type EventRelay } from './eventRelay.ts';
import {
  type BotExit,
  describeExit,
  type Ending,
  type ExitRecord,
  isOutOfMemory,
  removeExitRecord,
} from './exitRecord.ts';
import { createFreezer } from './freezer.ts';
import { oomKillsSince, readOomKills } from './oomKill.ts';
import { preparePaths } from './preparePaths.ts';
import { linkQueryServer } from './queryLink.ts';
import { startUp } from './startUp.ts';

/** When the start is over and its garbage can go, milliseconds after the bot's start. */
const SETTLE_MS = 2000;

export interface ExecuteOptions {
  readonly config: Config;
  readonly kind: Kind;
  readonly request: LaunchRequest;
  readonly botEnvironment: (launch: Launch) => Readonly<Record<string, string>>;
  /** What the daemon and the query server read their configuration from. */
  readonly roleEnvironment: Readonly<Record<string, string>>;
  readonly self: Self;
  /** Brings code and state and takes a generation; undefined: a sidecar does that. */
  readonly pull: (signal: AbortSignal, emit: EventSink) => Promise<PulledState | undefined>;
  readonly capture: Capture;
  readonly parts: { readonly sync: boolean; readonly queryServer: boolean };
  readonly signals: SignalSource;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

export interface ExecuteResult {
  /** Its `exit` is the container's exit code. */
  readonly record: ExitRecord;
  /** Why the runtime itself ended it, when it did. */
  readonly error: RuntimeError | undefined;
}

/** One life of a bot: pull, run, save. Never throws: however it ended is in the result. */
export async function execute(options: ExecuteOptions): Promise<ExecuteResult> {
  const { config, clock } = options;
  const startedAt = clock.now();
  let bot: BotProcess | undefined;
  const stop = listenForStop({
    source: options.signals,
    clock,
    stopTimeoutMs: config.stopTimeoutMs,
    onOther: (signal) => void bot?.signal(signal),
  });
  const relay = createEventRelay(clock.now);
  relay.emit('start', { bot: config.botId, kind: options.kind.id, type: config.botType });
  const oomKills = readOomKills();
  let ended: Omit<Ending, 'startedAt' | 'endedAt'>;
  try {
    preparePaths(config);
    removeExitRecord(config.paths);
    const started = await startUp({
      config,
      kind: options.kind,
      request: options.request,
      self: options.self,
      early: mayStartEarly(options.kind, options.roleEnvironment),
      environment: options.botEnvironment,
      pull: (signal) => options.pull(signal, relay.emit),
      onProcess: (process) => {
        bot = process;
        options.capture.attach('stdout', process.stdout);
        options.capture.attach('stderr', process.stderr);
      },
      stop: stop.requested,
      log: options.log,
    });
    ended = await supervise({ ...options, ...started, startedAt, stop, relay, oomKills });
  } catch (error) {
    await options.capture.close();
    // Nothing of the bot has run, so there is nothing that could be lost.
    ended = { bot: undefined, error: asRuntimeError(error), stateSaved: true, logsSaved: true };
  }
  stop.close();
  return { record: describeExit({ ...ended, startedAt, endedAt: clock.now() }), error: ended.error };
}

interface SuperviseOptions extends ExecuteOptions {
  readonly bot: BotProcess;
  readonly guard: Guard;
  readonly pulled: PulledState | undefined;
  readonly startedAt: number;
  readonly stop: StopRequest;
  readonly relay: EventRelay;
  readonly oomKills: number | undefined;
}

async function supervise(options: SuperviseOptions): Promise<Omit<Ending, 'startedAt' | 'endedAt'>> {
  const { bot, guard, config, clock, stop, relay, log } = options;
  relay.emit('bot.started', { pid: bot.pid });
  const fenced = new AbortController();
  setTimeout(releaseMemory, SETTLE_MS).unref();
  let takenOver: RuntimeError | undefined;
  const onFenced = (message: string) => {
    takenOver = new RuntimeError('fenced', message, {
      hint: 'Another instance of this bot runs now; this one has stopped.',
    });
    fenced.abort();
  };
  const helpers = startHelpers(options, onFenced);
  const botEnded = new AbortController();
  if (!options.parts.sync) {
    // A sidecar saves, and learns of it.
    void whenTakenOver(config.paths.logs, clock, botEnded.signal).then((told) => {
      if (told !== undefined) onFenced(told);
    });
  }

  await Promise.race([bot.ended, whenAborted(AbortSignal.any([stop.requested, fenced.signal]))]);
  // Somebody else runs this bot now: it gets the same time as on SIGTERM, and only its logs are saved.
  const ownBudget = fenced.signal.aborted ? startStop(clock.now(), config.stopTimeoutMs) : undefined;
  const budget = stop.budget ?? ownBudget;
  if (budget) await stopBot(bot, budget, { clock, hurried: stop.hurried });
  const end = await bot.ended;
  botEnded.abort();
  await endLeftovers(bot, helpers.pids(), clock, stop.hurried);
  guard.remove(bot.pid);
  const exit: BotExit = {
    code: end.code,
    signal: end.signal,
    oomKills: oomKillsSince(options.oomKills),
  };
  log.debug('bot ended');
  relay.emit('bot.exited', { code: exit.code, signal: exit.signal, outOfMemory: isOutOfMemory(exit) });
  helpers.query?.tell({ type: 'bot', running: false });
  // Somebody who reads our output slowly may not have the time that the final sync needs.
  await options.capture.close(budget && syncBudgetMs(budget, clock.now()) / 2);

  const outcome = await finish(helpers, () => stop.budget ?? ownBudget, stop.requested, clock);
  helpers.query?.stop();
  guard.close();
  if (outcome.reason) log.error(`not everything was saved: ${outcome.reason}`);
  return {
    bot: exit,
    error: takenOver ?? end.error ?? unsaved(outcome),
    stateSaved: outcome.stateSaved && takenOver === undefined,
    logsSaved: outcome.logsSaved,
  };
}

type Helpers = ReturnType<typeof startHelpers>;

/** Everything that can wait until the bot runs. */
function startHelpers(options: SuperviseOptions, onFenced: (message: string) => void) {
  const { bot, guard, config, relay, parts, pulled } = options;
  const life = {
    type: 'life',
    startedAt: new Date(options.startedAt).toISOString(),
    botPid: bot.pid,
    generation: pulled?.generation,
  } as const;
  let published: PublishReport | undefined;
  const common = { ...options, env: options.roleEnvironment, onEvent: relay.forward };
  const query =
    parts.queryServer && config.botType === 'realtime' && config.queryEntrypoint !== undefined
      ? linkQueryServer({
          ...common,
          catchUp: () => [
            life,
            ...relay.recent().map((numbered) => ({ type: 'event', ...numbered }) as const),
            ...(published ? [{ type: 'published', report: published } as const] : []),
            { type: 'bot', running: true },
          ],
          guard,
        })
      : undefined;
  const daemon =
    parts.sync && pulled
      ? linkDaemon({
          ...common,
          pulled,
          botGroup: bot.pid,
          freezer: createFreezer(() => bot.pid),
          onPublished: (report) => {
            published = report;
            query?.tell({ type: 'published', report });
          },
          onLogLag: (lagMs) => query?.tell({ type: 'logs', lagMs }),
          onFenced,
        })
      : undefined;
  relay.listen((numbered) => query?.tell({ type: 'event', ...numbered }));
  return {
    daemon,
    query,
    pids: () => [daemon?.pid, query?.pid, guard.pid].filter((pid) => pid !== undefined),
  };
}

const NOTHING_TO_SAVE: FinishOutcome = { stateSaved: true, logsSaved: true, reason: undefined };

/** Without a budget as long as bytes move; with one, also one that begins meanwhile (`stop`), what is left of it. */
async function finish(
  { daemon }: Helpers,
  budget: () => StopBudget | undefined,
  stop: AbortSignal,
  clock: Clock,
): Promise<FinishOutcome> {
  if (!daemon) return NOTHING_TO_SAVE;
  const left = () => {
    const running = budget();
    return running && syncBudgetMs(running, clock.now());
  };
  const finished = daemon.finish(left());
  if (!budget()) void whenAborted(stop).then(() => daemon.finish(left()));
  return await finished;
}

function unsaved({ stateSaved, logsSaved, reason }: FinishOutcome): RuntimeError | undefined {
  if (stateSaved && logsSaved) return undefined;
  return new RuntimeError('unsaved', `the bot ended, but not everything was saved: ${reason}`, {
    hint: 'The last snapshot before that stands: `runtime state ls BOT`.',
  });
}
