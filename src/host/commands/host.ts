import { isatty } from 'node:tty';
import type { Command } from '../../base/command/command.ts';
import { stopSignal } from '../../base/command/stopSignal.ts';
import { createLogger } from '../../base/log.ts';
import { mergeSources } from '../../bot/config/mergeSources.ts';
import { readConfig } from '../../bot/config/readConfig.ts';
import { hostOptionSpecs, readHostOptions } from '../run/hostOptions.ts';

export const host: Command = {
  name: 'host',
  summary: 'run many bots: makes what runs equal to what is wanted',
  positionals: '',
  options: hostOptionSpecs(),
  details: [
    'The store is named by the variables of `runtime execute` (MINIO_*, STORE_URL). Its end stops no bot: what runs is found again',
    'when it comes back. `runtime bots` asks it and tells it what to do; docs/hosts.md says the rest.',
    '',
    'Exit codes: 0 after a signal, 64 command line, 75 another host has the data folder, 78 configuration.',
  ].join('\n'),
  run: async (invocation) => {
    const options = readHostOptions(invocation);
    const { env } = mergeSources({ env: invocation.env, flags: {} });
    const isTTY = isatty(2);
    const config = await readConfig(env, {
      role: 'operator',
      knownKinds: [],
      uid: process.getuid?.() ?? -1,
      isTTY,
    });
    const log = createLogger({
      ...config.log,
      role: 'host',
      now: Date.now,
      write: (line) => void invocation.stderr.write(line),
    });
    const { runHost } = await import('../run/runHost.ts');
    await runHost({ options, config, env, cwd: invocation.cwd, log, signal: stopSignal() });
    return 0;
  },
};
