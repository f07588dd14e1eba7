import { readFile } from 'node:fs/promises';
import { systemClock } from '../../../base/clock.ts';
import type { Logger } from '../../../base/log.ts';
import { releaseWhenQuiet } from '../../../base/releaseWhenQuiet.ts';
import { whenAborted } from '../../../base/whenAborted.ts';
import { listen } from '../../../bot/answers/listen.ts';
import type { Config } from '../../../bot/config/config.ts';
import type { Kinds } from '../../../bot/kinds/registry.ts';
import { PROGRAM_BYTES, PROGRAM_ENV } from '../../process/messages.ts';
import { listenWhenFree } from '../http/listenWhenFree.ts';
import { QueryMetrics } from '../parts/queryMetrics.ts';
import { type PrepareProgramOptions, prepareProgram, RESULT_DIR } from '../program/prepareProgram.ts';
import type { ProgramLaunch } from '../program/programLaunch.ts';
import { programUser } from '../program/programUser.ts';
import { readonlyWrapper } from '../program/readonlyWrapper.ts';
import { SharedCode } from '../program/sharedCode.ts';
import type { ProcessIds } from './metrics.ts';
import { linkSupervisor, type ServerLink } from './serverLink.ts';
import { startQueryServer } from './startQueryServer.ts';

/**
 * The room of the query server: port 9476 of one realtime bot.
 *
 *   runQueryServer    the process: puts server, program and link together, and ends with the supervisor
 *   serverLink        what the supervisor says of the bot: its code is there, it runs, events; in a sidecar, nothing
 *   startQueryServer  one request: its token first, then one of our own paths (`ownRoutes`, `metrics`) or a query
 *   handleQuery       a query: the limits on its size and time, and how many run at once
 *   publishRoute      has the state published at once, for whoever shows PUBLISH_TOKEN
 *   serveAgent        messages, where the bot is an agent (../../turns)
 *   answerQuery       asks the program (../program), or runs it once for this query (../once), and checks the envelope
 */

/** So many queries have left something to give back. */
const MANY_QUERIES = 1000;

export interface QueryRoleOptions {
  readonly config: Config;
  readonly kinds: Kinds;
  /** The environment that the configuration was read from. Holds the credentials. */
  readonly env: Readonly<Record<string, string>>;
  readonly log: Logger;
  readonly version: string;
  /** What the program needs is there; while it is awaited the server listens. Its error ends the server, which then throws it. */
  readonly pulled: Promise<void>;
}

/**
 * The query server as a process: below a supervisor, or on its own beside the bot's container. Ends with the
 * supervisor, when told to, or on SIGTERM; resolves with the exit code 0.
 */
export async function runQueryServer(options: QueryRoleOptions): Promise<number> {
  const { config, log, version, pulled } = options;
  const clock = systemClock;
  const stop = new AbortController();
  const end = () => stop.abort();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, end);
  pulled.catch(end);
  const metrics = new QueryMetrics();
  const worked = releaseWhenQuiet(MANY_QUERIES);
  const link = linkSupervisor(process, { now: clock.now, metrics, onStop: end });
  // Below a supervisor the code is there, whatever the bot has done to our mark since.
  const shared = isSupervised() ? undefined : new SharedCode(config, clock);
  const prepared = config.queryEntrypoint === undefined ? undefined : prepare(options);
  // In a container of its own no supervisor passes on what an agent says.
  const agent =
    config.agent && isSupervised()
      ? await (await import('./parts/agentServer.ts')).serveAgent({
          config,
          agent: config.agent,
          kind: options.kinds.get(config.kind),
          link,
          clock,
          log,
        })
      : undefined;
  let programPid: number | undefined;
  const server = await startQueryServer({
    config: config.query,
    agent,
    publish: await publishRouteOf(config, link),
    launch:
      prepared &&
      (async () => {
        await pulled;
        await shared?.wait(stop.signal);
        return prepared();
      }),
    events: link.events,
    metrics,
    clock,
    log,
    onEvent: link.emit,
    botRuns: link.botRuns,
    info: () => ({
      version,
      bot: config.botId,
      kind: config.kind,
      type: config.botType,
      startedAt: link.startedAt(),
      generation: link.generation(),
      lastPublish: link.lastPublish(),
    }),
    processes: () => processIds(link, programPid),
    // Beside the bot the orchestrator starts us again; below a supervisor the bot runs on meanwhile.
    listen: isSupervised()
      ? (http, port) => listenWhenFree(http, port, { clock, log, signal: stop.signal })
      : listen,
    onQuery: () => worked(1),
    resultDir: RESULT_DIR,
    onProgram: (pid) => {
      programPid = pid;
      void link.tell({ type: 'program', pid });
    },
  }).catch((error: unknown) => {
    if (stop.signal.aborted) return undefined;
    throw error;
  });
  if (server === undefined) {
    await pulled;
    return 0;
  }
  log.info('query server is listening', { port: server.port });
  void link.tell({ type: 'ready', port: server.port });
  void shared?.watch(stop.signal, () => server.restartProgram('has new code'));
  await whenAborted(stop.signal);
  await server.close();
  await pulled;
  return 0;
}

async function publishRouteOf({ publishToken }: Config, link: ServerLink) {
  if (publishToken === undefined) return undefined;
  return (await import('./parts/publishRoute.ts')).publishRoute(publishToken, link.publish);
}

/** Asked for every start of the program; what the system can refuse it is found out, and told, once. */
function prepare({ config, kinds, env, log }: QueryRoleOptions): () => Promise<ProgramLaunch> {
  const protection = readonlyWrapper(config.paths.state).then((wrapper) => {
    const user = programUser(config.user, wrapper.landlock);
    if (user === undefined && !wrapper.landlock) {
      log.warn(
        'nothing here keeps the query program from writing to the state: it is no other user, and there is no Landlock',
      );
    }
    return { wrapper: wrapper.argv, user };
  });
  return async () =>
    prepareProgram({
      config,
      kind: kinds.get(config.kind),
      ...forProgram(env),
      ...(await protection),
    });
}

function isSupervised(): boolean {
  return process.send !== undefined;
}

/** With what the supervisor has kept from ourselves. */
function forProgram({
  [PROGRAM_ENV]: kept = '{}',
  [PROGRAM_BYTES]: bytes,
  ...env
}: QueryRoleOptions['env']): Pick<PrepareProgramOptions, 'env' | 'variables'> {
  return {
    env: { ...env, ...(JSON.parse(kept) as Record<string, string>) },
    variables: bytes ? bytes.split(',').map((hex) => Buffer.from(hex, 'hex')) : undefined,
  };
}

/** The daemon is the one of the supervisor's children that was started as such. */
async function processIds(link: ServerLink, program: number | undefined): Promise<ProcessIds> {
  const own = { query: process.pid, 'query-program': program };
  if (!isSupervised()) return own;
  const supervisor = process.ppid;
  const children = await readFile(`/proc/${supervisor}/task/${supervisor}/children`, 'utf8').catch(() => '');
  const pids = children.trim().split(' ').map(Number);
  const commands = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  const daemon = pids[commands.findIndex((command) => command.endsWith('\0daemon\0sync\0'))];
  return { ...own, supervisor, daemon, bot: link.botPid() };
}
