import type { Clock } from '../../../base/clock.ts';
import type { Logger } from '../../../base/log.ts';
import type { RuntimeEvent } from '../../../bot/events/event.ts';
import type { PublishReport } from '../../../bot/state/publish/publishReport.ts';
import type { FinishOutcome } from '../../../bot/sync/finishOutcome.ts';
import type { SavedNow } from '../../../bot/sync/syncOptions.ts';
import type { FromDaemon, PulledState, ToDaemon } from '../../process/messages.ts';
import type { Self } from '../../process/roleProcess.ts';
import type { Freezer } from './freezer.ts';
import { keepRole } from './keepRole.ts';

/** A daemon that has said nothing for so long hangs. It is ended and started again. */
const SILENCE_MS = 60_000;
/** The same during the final sync: the daemon has to acknowledge the request. Half of the budget where that is shorter. */
const HURRIED_SILENCE_MS = 10_000;
/** The daemon ends the final sync by itself when its time is over. Its own report is waited for: it says exactly what was not saved. */
const LAST_WORD_MS = 100;
/** Deaths during the final sync after which the supervisor gives up. */
const MAX_FINISH_DEATHS = 3;

/**
 * mallopt(3): glibc raises its mmap threshold with every large block that is freed, and keeps all blocks below the threshold. With these
 * settings the memory of a large publish or of many logs goes back to the system (docs/performance.md). The threshold is half of what
 * Node reads from a socket at a time.
 */
const GIVE_BACK = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '32768',
  MALLOC_TRIM_THRESHOLD_: '131072',
};

export interface DaemonLinkOptions {
  readonly self: Self;
  readonly env: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly freezer: Freezer;
  /** What the pull has learnt: the first daemon does not read it again. Later daemons get the generation alone. */
  readonly pulled: PulledState;
  /** The guard: when the supervisor dies, the daemon waits until the guard has ended. */
  readonly botGroup: () => number | undefined;
  /** Called each time that a daemon has opened the store and looks after the state. */
  readonly onReady: () => void;
  readonly onPublished: (report: PublishReport) => void;
  readonly onLogLag: (lagMs: number) => void;
  readonly onEvent: (event: RuntimeEvent) => void;
  readonly onFenced: (message: string) => void;
}

/** The sync daemon as the supervisor sees it: it is always there, because it is started again when it dies or hangs. */
export interface DaemonLink {
  readonly pid: number | undefined;
  /** Saves the state as it is now, and goes on as long as bytes move. Always resolves. Each call is a save of its own, in their order. */
  save(): Promise<SavedNow>;
  /** The bot has a new first process. */
  tellGroup(): void;
  /**
   * The final sync, with the outputs of the bot's task where the bot has ended well. `budgetMs` undefined: as long as bytes move.
   * Always resolves: the outcome says what was not saved.
   */
  finish(budgetMs: number | undefined, endedWell: boolean): Promise<FinishOutcome>;
}

interface FinishBy {
  readonly at: number | undefined;
  readonly endedWell: boolean;
}

export function linkDaemon(options: DaemonLinkOptions): DaemonLink {
  const { clock, log, freezer, pulled, botGroup } = options;
  const outcome = Promise.withResolvers<FinishOutcome>();
  const over = new AbortController();
  let heardAt = clock.elapsed();
  let heard = 0;
  const hear = () => {
    heardAt = clock.elapsed();
    heard += 1;
  };
  let finishBy: FinishBy | undefined;
  const saving: ((saved: SavedNow) => void)[] = [];

  const finishMessage = ({ at, endedWell }: FinishBy): ToDaemon => ({
    type: 'finish',
    budgetMs: at === undefined ? undefined : Math.max(0, at - clock.elapsed()),
    endedWell,
  });

  const give = (result: FinishOutcome) => {
    over.abort();
    daemon.release();
    failSaves('the container was stopped meanwhile');
    outcome.resolve(result);
  };
  const giveUp = (reason: string) => {
    give({ stateSaved: false, logsSaved: false, reason });
    daemon.kill('SIGKILL');
  };

  const failSaves = (reason: string) => {
    for (const resolve of saving.splice(0)) resolve({ sequence: 0, reason });
  };

  const receive = (message: FromDaemon) => {
    hear();
    switch (message.type) {
      case 'ready':
        // One that dies of what it has to save is ready each time before it does.
        if (!finishBy) daemon.forgive();
        options.onReady();
        break;
      case 'published':
        options.onPublished(message.report);
        break;
      case 'event':
        options.onEvent(message.event);
        break;
      case 'fenced':
        options.onFenced(message.message);
        break;
      case 'freeze':
        daemon.send({ type: 'frozen', ok: freezer.freeze() });
        break;
      case 'thaw':
        freezer.thaw();
        daemon.send({ type: 'thawed' });
        break;
      case 'finished':
        give(message.outcome);
        break;
      case 'saved':
        saving.shift()?.(message.saved);
        break;
      case 'logs':
        options.onLogLag(message.lagMs);
        break;
      case 'alive':
        break;
    }
  };

  const daemon = keepRole<ToDaemon, FromDaemon>({
    ...options,
    role: ['daemon', 'sync'],
    tuning: GIVE_BACK,
    greet: (restarts) => {
      hear();
      const known = restarts === 0 ? pulled : { ...pulled, head: '', etag: '' };
      const start: ToDaemon = { type: 'start', pulled: known, botGroup: botGroup() };
      if (finishBy) return [start, finishMessage(finishBy)];
      return [start, ...saving.map(() => ({ type: 'save' }) as const)];
    },
    onMessage: receive,
    onDeath: (deaths) => {
      freezer.thaw();
      if (deaths >= MAX_FINISH_DEATHS) failSaves('the sync daemon died again and again');
      if (!finishBy || deaths < MAX_FINISH_DEATHS) return true;
      giveUp('the sync daemon died again and again');
      return false;
    },
  });

  /** A daemon that hangs now, or is stopped, would not save what it still has to save. */
  const expectAnswer = async (withinMs: number) => {
    const before = heard;
    await clock.sleep(withinMs, over.signal).catch(() => undefined);
    if (over.signal.aborted || heard > before) return;
    log.warn('the sync daemon does not answer and is ended', { silentMs: withinMs });
    daemon.kill('SIGKILL');
  };

  const watchSilence = async () => {
    while (!over.signal.aborted) {
      await clock.sleep(SILENCE_MS / 2, over.signal).catch(() => undefined);
      if (over.signal.aborted || clock.elapsed() - heardAt < SILENCE_MS) continue;
      log.warn('the sync daemon hangs and is ended', { silentMs: clock.elapsed() - heardAt });
      daemon.kill('SIGKILL');
    }
  };
  void watchSilence();

  return {
    get pid() {
      return daemon.pid;
    },
    save: () =>
      new Promise((resolve) => {
        saving.push(resolve);
        if (over.signal.aborted) failSaves('the container was stopped meanwhile');
        else daemon.send({ type: 'save' });
      }),
    tellGroup: () => void daemon.send({ type: 'group', botGroup: botGroup() }),
    finish: (budgetMs, endedWell) => {
      finishBy = { at: budgetMs === undefined ? undefined : clock.elapsed() + budgetMs, endedWell };
      daemon.hurry();
      daemon.send(finishMessage(finishBy));
      void expectAnswer(Math.min(HURRIED_SILENCE_MS, (budgetMs ?? Number.POSITIVE_INFINITY) / 2));
      if (budgetMs !== undefined) {
        clock.sleep(budgetMs + LAST_WORD_MS, over.signal).then(
          () => giveUp('the stop budget ran out'),
          () => undefined,
        );
      }
      return outcome.promise;
    },
  };
}
