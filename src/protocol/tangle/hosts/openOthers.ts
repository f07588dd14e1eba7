import type { Clock } from '../../../base/clock.ts';
import type { Logger } from '../../../base/log.ts';
import type { Sandboxes } from '../../../host/sandboxes/sandboxes.ts';
import type { Matched } from '../http/matchRoute.ts';
import type { Elsewhere } from '../startFront.ts';
import { type AskForHost, hostAsker } from './askForHost.ts';
import { readHostsFile } from './hostsFile.ts';
import { createPool, type Pool } from './pool.ts';
import { sendToMember } from './sendToMember.ts';

/** Other hosts, and the way to them. */
export interface Others {
  readonly pool: Pool;
  readonly askForHost: AskForHost;
  readonly elsewhere: Elsewhere;
}

/** Throws `config`. */
export function openOthers(
  file: string,
  { sandboxes, clock, log }: { readonly sandboxes: Sandboxes; readonly clock: Clock; readonly log: Logger },
  signal: AbortSignal,
): Others {
  const { members, webhook } = readHostsFile(file);
  const pool = createPool(members, clock, log);
  void pool.run(signal);
  return {
    pool,
    askForHost: hostAsker(webhook, clock, log, signal),
    elsewhere: {
      known: (found) => {
        const id = notHere(sandboxes, found);
        return id !== undefined && pool.known(id) !== undefined;
      },
      find: async (found) => {
        const id = notHere(sandboxes, found);
        const member = id === undefined ? undefined : await pool.find(id);
        return member && ((call, route) => sendToMember(member, call, route));
      },
    },
  };
}

/** The sandbox that is asked for, where this host has none of that name. */
function notHere(sandboxes: Sandboxes, { route, params: { id } }: Matched): string | undefined {
  const isOfSandbox = /^\/(v1\/sandboxes|sidecar|v1\/sidecars|preview)\/:id/.test(route.path);
  return isOfSandbox && id !== undefined && sandboxes.find(id) === undefined ? id : undefined;
}
