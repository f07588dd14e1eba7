import { tmpdir } from 'node:os';
import { systemClock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import { releaseWhenQuiet } from '../base/releaseWhenQuiet.ts';
import { whenAborted } from '../base/whenAborted.ts';
import { listen } from '../bot/answers/listen.ts';
import { type Box, boxLimits } from './box.ts';
import type { BoxConfig } from './boxConfig.ts';
import { capabilitiesRoute } from './capabilities.ts';
import { exitCodeOf } from './commands/commandEnd.ts';
import { createPipePool } from './commands/pipePool.ts';
import { commandRoutes } from './commands/routes.ts';
import { createStarter } from './commands/starter.ts';
import { startCompanion } from './companion.ts';
import { folderRoutes } from './files/folderRoutes.ts';
import { fileRoutes } from './files/routes.ts';
import { transferRoutes } from './files/transferRoutes.ts';
import { sweepTemporary } from './files/writeFile.ts';
import { healthRoutes } from './health.ts';
import { createBoxServer } from './http/createBoxServer.ts';
import { notOffered } from './notOffered.ts';
import { spaceFor } from './output/logSpace.ts';
import { portRoutes } from './ports/routes.ts';
import { Processes } from './processes/processes.ts';
import { processRoutes } from './processes/routes.ts';
import { searchRoute } from './search/searchRoute.ts';
import { terminalRoutes } from './terminals/routes.ts';
import { Terminals } from './terminals/terminals.ts';

/**
 * The room of a box: one sandbox, from inside. It is the bot of its container, so it runs as the bot's user, has no credential, and all that
 * it starts is ended, and the disk saved, by the supervisor when the sandbox stops.
 *
 *   http/        requests: the token, routes, bodies with a limit, errors in the words of the API
 *   commands/    what is run and waited for, and how all of a command's processes are found again
 *   processes/   what clients start and come back to
 *   terminals/   shells on terminals of their own
 *   search/      lines of files
 *   ports/       what listens inside, and the way there
 *   files/       files and folders, with the rights of its user
 *   output/      what those have printed, from its beginning, on the disk
 *   companion    a command beside it, with its stdin, stdout and descriptor 3: an agent
 */

/** So many have left something to give back. */
const MANY_REQUESTS = 100;

/** Serves until `stop` is aborted or its companion has ended; resolves with the exit code. */
export async function runBox(
  config: BoxConfig,
  companionArgv: readonly string[],
  log: Logger,
  stop: AbortSignal,
): Promise<number> {
  const companion = companionArgv.length > 0 ? await startCompanion(companionArgv, config.env) : undefined;
  const limits = boxLimits(process.constrainedMemory());
  const clock = systemClock;
  const pipes = createPipePool();
  const starter = createStarter(pipes, clock);
  const box: Box = { config, clock, log, starter, limits };
  sweepTemporary(config.workspace);
  const folder = tmpdir();
  const space = spaceFor(folder);
  const processes = new Processes({ starter, clock, folder, space });
  const terminals = new Terminals({ starter, clock, shell: config.shell, folder, space });
  const routes = [
    ...healthRoutes(box),
    capabilitiesRoute,
    ...commandRoutes(box),
    ...processRoutes(box, processes),
    ...terminalRoutes(box, terminals),
    ...fileRoutes(box),
    ...transferRoutes(box),
    ...folderRoutes(box),
    searchRoute(box),
    ...portRoutes,
    ...notOffered,
  ];
  const server = createBoxServer({
    routes,
    token: config.token,
    log,
    worked: releaseWhenQuiet(MANY_REQUESTS),
  });
  try {
    const port = await listen(server, config.port, 'all', 'BOX_PORT');
    log.info('the box is listening', { port });
    const end = await Promise.race([whenAborted(stop), ...(companion ? [companion.ended] : [])]);
    // Whoever stops us tells our whole group, and so the companion as well.
    const [own] = await Promise.all([end ?? companion?.ended, starter.end(), terminals.closeAll()]);
    return own && end ? exitCodeOf(own) : 0;
  } finally {
    server.close();
    server.closeAllConnections();
    processes.close();
    terminals.end();
    pipes.close();
  }
}
