import type { Command } from '../../base/command/command.ts';
import { stopSignal } from '../../base/command/stopSignal.ts';
import { hostOptionSpecs, readHostOptions } from '../run/hostOptions.ts';

export const host: Command = {
  name: 'host',
  summary: 'run many bots: makes what runs equal to what is wanted',
  positionals: '',
  options: hostOptionSpecs(),
  below: {
    remove: {
      summary: 'take away what a host has left on this machine that will not come back',
      load: async () => (await import('./remove.ts')).remove,
    },
  },
  details: [
    'The store is named by the variables of `runtime execute` (MINIO_*, STORE_URL). When it ends, no bot stops: it finds again what runs',
    'when it comes back. `runtime bots` asks it and tells it what to do; docs/hosts.md says the rest.',
    '',
    'Exit codes: 0 after a signal, 64 command line, 75 another host has the data folder or the lease, 78 configuration.',
  ].join('\n'),
  run: async (invocation) => {
    const options = readHostOptions(invocation);
    const { loadHost } = await import('../run/loadHost.ts');
    const loaded = await loadHost(invocation);
    const run = { ...loaded, options, cwd: invocation.cwd, signal: stopSignal() };
    if (options.driver === 'kubernetes') {
      const { runClusterHost } = await import('../run/cluster/runClusterHost.ts');
      const { openClusterParts } = await import('../run/cluster/openClusterParts.ts');
      await runClusterHost(run, openClusterParts);
    } else {
      const { runHost } = await import('../run/runHost.ts');
      await runHost(run);
    }
    return 0;
  },
};
