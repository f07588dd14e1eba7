import { dirname, join } from 'node:path';
import { build } from '../../base/build.ts';
import { systemClock } from '../../base/clock.ts';
import type { Command } from '../../base/command/command.ts';
import { stopSignal } from '../../base/command/stopSignal.ts';
import { createLogger } from '../../base/log.ts';
import { openDocker } from '../../host/engine/docker/openDocker.ts';
import { removeOrphans } from '../../host/engine/docker/removeOrphans.ts';
import { mayLive } from './owner.ts';
import { runProvider } from './runProvider.ts';

export const gestalt: Command = {
  name: 'gestalt',
  summary: 'runs the plugins of a gestaltd in containers of the Docker Engine',
  positionals: '',
  options: {},
  details: `gestaltd starts this command from the package that scripts/release-gestalt makes, and says by variables where to
serve: GESTALT_PLUGIN_SOCKET, GESTALT_PLUGIN_PARENT_PID, GESTALT_PLUGIN_NAME, GESTALT_RUNTIME_LOG_SOCKET, or as they are
called since June 2026 GESTALT_PROVIDER_SOCKET, GESTALT_APP_PARENT_PID, GESTALT_APP_NAME, GESTALT_HOST_SERVICE_SOCKET.
The engine is config.engine, else DOCKER_HOST, else /var/run/docker.sock. See docs/gestalt.md.`,
  run: async ({ env, stderr }) => {
    const log = createLogger({
      level: 'info',
      format: env.LOG_FORMAT === 'json' ? 'json' : 'text',
      role: 'gestalt',
      now: Date.now,
      write: (line) => void stderr.write(line),
    });
    const clock = systemClock;
    const socket = (address: string | undefined) => address ?? (env.DOCKER_HOST || undefined);
    return await runProvider({
      env,
      version: build.version,
      openEngine: (host, address, name) =>
        openDocker({ host, socket: socket(address), clock, log, networks: { type: 'existing', name } }),
      reap: async (address) => {
        const isLocal = !(socket(address) ?? '').startsWith('tcp:');
        const isOrphan = (labels: Readonly<Record<string, string>>) =>
          !mayLive(labels['runtime.owner'] ?? '', isLocal);
        const count = await removeOrphans({
          socket: socket(address),
          label: 'runtime.protocol=gestalt',
          isOrphan,
        });
        if (count > 0) log.info('removed containers of providers that are gone', { count });
      },
      relay: join(dirname(process.execPath), 'session-relay'),
      parentPid: () => process.ppid,
      clock,
      log,
      stop: stopSignal(),
    });
  },
};
