import { releaseMemory } from '../../../base/releaseMemory.ts';
import type { PublishReport } from '../../../bot/state/publish/publishReport.ts';
import { type DaemonLink, linkDaemon } from './daemonLink.ts';
import { createFreezer } from './freezer.ts';
import { linkQueryServer, type QueryLink } from './queryLink.ts';
import type { Started } from './startUp.ts';

/** When the start is over and its garbage can go, milliseconds after the bot's start. */
const SETTLE_MS = 2000;

export interface Helped extends Started {
  /** Undefined: a sidecar saves. */
  readonly daemon: DaemonLink | undefined;
  readonly query: QueryLink | undefined;
}

/** Everything that can wait until the bot runs. */
export function startHelpers(started: Started): Helped {
  const { bot, guard, config, relay, parts, pulled } = started;
  setTimeout(releaseMemory, SETTLE_MS).unref();
  let published: PublishReport | undefined;
  const common = { ...started, env: started.roleEnvironment, onEvent: relay.forward };
  const catchUp = () =>
    [
      {
        type: 'life',
        startedAt: new Date(started.startedAt).toISOString(),
        botPid: bot.pid,
        generation: pulled?.generation,
      },
      ...relay.recent().map((numbered) => ({ type: 'event', ...numbered }) as const),
      ...(published ? [{ type: 'published', report: published } as const] : []),
      { type: 'bot', running: true },
    ] as const;
  const isAsked = parts.queryServer && config.botType === 'realtime' && config.queryEntrypoint !== undefined;
  const query = isAsked ? linkQueryServer({ ...common, catchUp, guard }) : undefined;
  relay.listen((numbered) => query?.tell({ type: 'event', ...numbered }));
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
          onFenced: started.fence,
        })
      : undefined;
  return { ...started, daemon, query };
}
