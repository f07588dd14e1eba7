import type { Clock } from '../../../base/clock.ts';
import type { Logger } from '../../../base/log.ts';
import { type AskForHost, hostAsker } from './askForHost.ts';
import { readHostsFile } from './hostsFile.ts';
import { createPool, type Pool } from './pool.ts';

/** Other hosts. */
export interface Others {
  readonly pool: Pool;
  readonly askForHost: AskForHost;
}

/** Throws `config`. */
export function openOthers(
  file: string,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
  signal: AbortSignal,
): Others {
  const { members, webhook } = readHostsFile(file);
  const pool = createPool(members, clock, log);
  void pool.run(signal);
  return {
    pool,
    askForHost: hostAsker(webhook, clock, log, signal),
  };
}
