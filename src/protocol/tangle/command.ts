import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Command } from '../../base/command/command.ts';
import { stopSignal } from '../../base/command/stopSignal.ts';
import { readServeOptions, serveOptionSpecs } from '../../host/run/serveOptions.ts';

export const serve: Command = {
  name: 'serve',
  summary: 'serve sandboxes and sessions to clients over HTTP',
  positionals: '',
  options: serveOptionSpecs(),
  below: {
    keys: {
      summary: 'who may ask it, and what',
      load: async () => (await import('./keys/group.ts')).keys,
    },
    policy: {
      summary: 'check a policy, and show what it gives a key',
      load: async () => (await import('./policy/command.ts')).policy,
    },
  },
  details: [
    'Runs sandboxes on the Docker Engine of this machine and serves them to clients: docs/sandboxes.md. When it ends, no',
    'sandbox stops: it finds again what runs when it comes back. Disks are saved in a folder below --data, or in the store that',
    'MINIO_* or STORE_URL name, as for `runtime execute`. RUNTIME_SERVE_KEY is the key that clients show.',
    '',
    'Exit codes: 0 after a signal, 64 command line, 75 another server has the data folder, 78 configuration.',
  ].join('\n'),
  run: async (invocation) => {
    const options = readServeOptions(invocation);
    // Before anything is made or taken: what a policy says wrong is told at once.
    if (options.policy !== '') {
      const { loadPolicy } = await import('../../host/sandboxes/policy/followPolicy.ts');
      loadPolicy(options.policy);
    }
    const { loadHost } = await import('../../host/run/loadHost.ts');
    const { runServe } = await import('../../host/run/runServe.ts');
    const { startTangle } = await import('./startTangle.ts');
    const { cwd, env } = invocation;
    const hasStore = Object.entries(env).some(([name, value]) => /^(MINIO_|STORE_URL$)/.test(name) && value);
    const own = hasStore ? {} : { STORE_URL: pathToFileURL(join(options.data, 'store')).href };
    const loaded = await loadHost({ env: { ...env, ...own }, stderr: invocation.stderr });
    await runServe({ ...loaded, options, cwd, signal: stopSignal(), protocol: startTangle });
    return 0;
  },
};
