import { join } from 'node:path';
import type { Command, OptionSpec } from '../../../base/command/command.ts';
import { stopSignal } from '../../../base/command/stopSignal.ts';
import { RuntimeError } from '../../../base/errors.ts';
import { hostOptionSpecs, type Part, readHostOptions } from '../../run/hostOptions.ts';

/** What the0's services all take. */
export const the0Options: Record<string, OptionSpec> = {
  'mongo-uri': { type: 'string', description: 'MONGO_URI: the database (mongodb://localhost:27017)' },
  'nats-url': { type: 'string', description: 'NATS_URL: the events of the API' },
};

export interface PartOfThe0 {
  readonly name: string;
  readonly summary: string;
  readonly part: Part;
  readonly needsNats: boolean;
  /** Flags of the0's command, each with the variable or the flag of ours that it means. */
  readonly flags: Readonly<Record<string, { readonly means: string; readonly description: string }>>;
}

const uids: Record<Part, number> = { realtime: 200_000, scheduled: 400_000, queries: 600_000 };
const ROOT = '/var/lib/runtime';
const SOCKETS = '/run/runtime';

/**
 * One of the0's services: a host with its database as the source, and one part on. Several stand beside each other on one engine:
 * they share the host's name there, and each looks after its own sort of instances in a folder of its own.
 */
export function partOfThe0(what: PartOfThe0): Command {
  const { image, network, secrets, data, socket } = hostOptionSpecs();
  const own = Object.entries(what.flags).map(([name, { description }]): [string, OptionSpec] => [
    name,
    { type: 'string', description },
  ]);
  return {
    name: what.name,
    summary: what.summary,
    positionals: '',
    options: {
      ...the0Options,
      ...Object.fromEntries(own),
      image: image!,
      network: network!,
      secrets: secrets!,
      data: data!,
      socket: socket!,
    },
    details: `A host with the0's database as its source: docs/hosts.md. Its data is in ${ROOT}/${what.part} unless --data says otherwise.`,
    run: async ({ flags, env: given, stderr, cwd }) => {
      const env: Record<string, string | undefined> = { ...given };
      const mongo =
        (flags['mongo-uri'] as string | undefined) || env.MONGO_URI || 'mongodb://localhost:27017';
      const nats = (flags['nats-url'] as string | undefined) || env.NATS_URL;
      if (what.needsNats && !nats)
        throw new RuntimeError('config', `${what.name} needs NATS`, { hint: 'Set NATS_URL or --nats-url.' });
      if (nats) env.NATS_URL = nats;
      if (env.QUERY_SERVER_PORT) env.RUNTIME_HOST_QUERY_PORT = env.QUERY_SERVER_PORT;
      for (const [flag, { means }] of Object.entries(what.flags))
        if (typeof flags[flag] === 'string') env[means] = flags[flag];
      const root = (flags.data as string | undefined) ?? env.RUNTIME_HOST_DATA ?? ROOT;
      const sockets = env.RUNTIME_HOST_SOCKETS ?? SOCKETS;
      const options = readHostOptions({
        env,
        flags: {
          ...flags,
          // As the0's: its API asks from another container, and knows no token.
          listen: env.RUNTIME_HOST_LISTEN || 'all',
          bots: mongo,
          only: what.part,
          data: join(root, what.part),
          socket: (flags.socket as string | undefined) ?? join(sockets, `${what.name}.sock`),
        },
      });
      const { loadHost } = await import('../../run/loadHost.ts');
      const loaded = await loadHost({ env, stderr });
      const { runHost } = await import('../../run/runHost.ts');
      const share = { folder: root, firstUid: uids[what.part] };
      await runHost({ ...loaded, options, cwd, signal: stopSignal(), share });
      return 0;
    },
  };
}
