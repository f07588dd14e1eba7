import { stat } from 'node:fs';
import { systemClock } from '../../../base/clock.ts';
import type { Command, Invocation } from '../../../base/command/command.ts';
import { stopSignal } from '../../../base/command/stopSignal.ts';
import { RuntimeError } from '../../../base/errors.ts';
import { configOptions } from '../../../bot/config/configOptions.ts';
import type { SupervisorLink } from '../../daemon/supervisorLink.ts';
import { loadBot } from '../loadBot.ts';
import { newHolder } from '../newHolder.ts';
import { openBotStores } from '../openBotStores.ts';

export const sync: Command = {
  name: 'sync',
  summary: 'the sync daemon on its own: a sidecar',
  positionals: '',
  options: {
    pull: { type: 'boolean', description: 'pull code and state first, and take a generation' },
    'readiness-port': { type: 'string', value: 'PORT', description: 'serve /healthz and /readyz there' },
    ...configOptions(),
  },
  details:
    'Without --pull it continues in the generation that `runtime daemon init` took on the same volume.',
  run: async (invocation) => {
    const link = await listenToSupervisor();
    // The first call makes the threads of all that come; a bot may leave no room for them later, and Node aborts without.
    if (link) stat('/', () => undefined);
    const bot = await loadBot(invocation, { role: 'daemon', speaker: 'daemon' });
    const { config, log } = bot;
    const stores = await openBotStores(config, log);
    const common = { config, stores, log, clock: systemClock };
    if (link) {
      const { runManaged } = await import('../../daemon/managed.ts');
      await runManaged({ ...common, link });
      return 0;
    }
    const { runSidecar } = await import('../../daemon/sidecar.ts');
    await runSidecar({
      ...common,
      pull: invocation.flags.pull
        ? async (signal) => {
            const { pullBot } = await import('../pullBot.ts');
            return await pullBot(bot, { stores, signal, emit: () => undefined, clock: systemClock });
          }
        : undefined,
      holder: newHolder(),
      readinessPort: readPort(invocation.flags['readiness-port']),
      stop: stopSignal(),
    });
    return 0;
  },
};

/**
 * Before anything that takes a turn of the event loop: of a supervisor that is gone by then nothing would be heard any more,
 * not even what it had said. Undefined: there is none.
 */
async function listenToSupervisor(): Promise<SupervisorLink | undefined> {
  if (!process.send) return undefined;
  const { linkSupervisor } = await import('../../daemon/supervisorLink.ts');
  return linkSupervisor(process, systemClock.now);
}

function readPort(flag: Invocation['flags'][string]): number | undefined {
  if (flag === undefined) return undefined;
  const port = Number(flag);
  if (Number.isInteger(port) && port >= 0 && port < 65_536) return port;
  throw new RuntimeError('usage', `--readiness-port ${String(flag)} is not a port`, {
    hint: 'A number from 0 to 65535.',
  });
}
