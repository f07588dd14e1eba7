import { releaseMemory } from '../../../base/releaseMemory.ts';
import { isServed } from '../../../bot/config/config.ts';
import type { PublishReport } from '../../../bot/state/publish/publishReport.ts';
import { isScarce } from '../../process/processLimit.ts';
import { type DaemonLink, linkDaemon } from './daemonLink.ts';
import { createFreezer } from './freezer.ts';
import { holdBack } from './holdBack.ts';
import { linkQueryServer, type QueryLink } from './queryLink.ts';
import { readAhead } from './readAhead.ts';
import type { Started } from './startUp.ts';

/**
 * How long a bot runs before its helpers are started, milliseconds. Each helper is a Node process, whose start would compete with the
 * bot's own. A bot that ends earlier needs none of them (`saveHere`). The delay risks nothing: a daemon would not look at the state so
 * early, and a supervisor that is killed leaves tree, marker and journal to the next start.
 */
const ALONE_MS = 300;
/** When the start is over and its garbage can be collected, milliseconds after the bot's start. */
const SETTLE_MS = 2000;

/** The processes for which the bot does not have to wait. */
export interface Helpers {
  /** Undefined: a sidecar saves, or the bot has ended before its daemon was started. */
  readonly daemon?: DaemonLink | undefined;
  readonly query?: QueryLink | undefined;
}

export interface Helped extends Started {
  /** The helpers that run now: none until the bot has run for a while. None is started after the bot's end. */
  readonly helpers: () => Helpers;
}

export function startHelpers(started: Started): Helped {
  const { bot, clock, relay } = started;
  let helpers: Helpers = {};
  const ended = new AbortController();
  void bot.ended.then(() => ended.abort());
  if (isScarce(started.processLimit)) {
    // Before all else: the start of a helper takes milliseconds, and in these a bot forks as often as it may.
    const release = holdBack(bot, clock, ended.signal);
    helpers = start(started, release);
    if (!helpers.daemon) release();
  } else {
    readAhead(started);
    clock.sleep(ALONE_MS, ended.signal).then(
      () => {
        helpers = start(started, () => undefined);
      },
      () => undefined,
    );
  }
  relay.listen((numbered) => helpers.query?.tell({ type: 'event', ...numbered }));
  setTimeout(releaseMemory, SETTLE_MS).unref();
  return { ...started, helpers: () => helpers };
}

function start(started: Started, onReady: () => void): Helpers {
  const helpers = startBoth(started, onReady);
  const { query } = helpers;
  if (query) started.bot.agent?.connect(query.tell, () => helpers);
  return helpers;
}

function startBoth(started: Started, onReady: () => void): Helpers {
  const { bot, guard, config, relay, parts, pulled } = started;
  let published: PublishReport | undefined;
  const common = { ...started, env: started.roleEnvironment, onEvent: relay.forward };
  const catchUp = () =>
    [
      {
        type: 'life',
        startedAt: new Date(started.startedAt).toISOString(),
        botPid: bot.pid,
        generation: pulled?.state.generation,
      },
      ...relay.recent().map((numbered) => ({ type: 'event', ...numbered }) as const),
      ...(published ? [{ type: 'published', report: published } as const] : []),
      ...(bot.agent ? [bot.agent.greeting()] : []),
      { type: 'bot', running: true },
    ] as const;
  const isAsked = parts.queryServer && isServed(config);
  let daemon: DaemonLink | undefined;
  const onPublish = async (id: string) => {
    const saved = daemon
      ? await daemon.save()
      : { sequence: 0, reason: 'a sidecar saves the state of this bot' };
    query?.tell({ type: 'publish-done', id, saved });
  };
  const query = isAsked
    ? linkQueryServer({ ...common, catchUp, guard, agent: bot.agent, onPublish })
    : undefined;
  if (!parts.sync || !pulled) return { query };
  daemon = linkDaemon({
    ...common,
    pulled: pulled.state,
    botGroup: () => bot.pid,
    freezer: createFreezer(() => bot.pid),
    onReady,
    onPublished: (report) => {
      published = report;
      query?.tell({ type: 'published', report });
    },
    onLogLag: (lagMs) => query?.tell({ type: 'logs', lagMs }),
    onFenced: started.fence,
  });
  void pulled.stores.close();
  // The daemon reads it for itself, and lives longer.
  pulled.restored.snapshot = undefined;
  return { daemon, query };
}
