import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isRuntimeError, RuntimeError } from '../../base/errors.ts';
import type { Config } from '../../bot/config/config.ts';
import { createFolders } from '../data/folders.ts';
import { createDockerClient } from '../engine/docker/http/dockerClient.ts';
import { parseEngineAddress } from '../engine/docker/http/engineAddress.ts';
import { readPlace } from '../engine/docker/readPlace.ts';
import { type Removed, removeTraces } from '../engine/docker/removeTraces.ts';
import type { EnginePlace } from '../engine/engine.ts';
import { HOSTS_PREFIX } from '../owners/ownersTable.ts';
import { releaseHost, standingOf } from '../owners/releaseHost.ts';
import { lockData } from './lockData.ts';
import { openHostStores } from './openHostStores.ts';

export interface RemoveHost {
  /** The host's data folder; nothing of it is removed. */
  readonly data: string;
  /** The host's name on the engine, where its data folder is gone. */
  readonly id: string | undefined;
  readonly socket: string | undefined;
  /** The store that it had its bots in; without one no other host learns that they are free. */
  readonly config: Config | undefined;
  readonly signal: AbortSignal;
}

export interface RemovedHost extends Removed {
  readonly id: string;
  /** Bots that other hosts of the store may have now; undefined: the store was not named, or knows no such host. */
  readonly bots: number | undefined;
  /** False: it was not named, or does not answer. */
  readonly storeAnswers: boolean;
}

/**
 * Takes away what a host that will not come back has left on this machine, and makes its bots nobody's. Throws `fenced` (75) while it
 * runs, `refused` (77) while bots of it do, `not-found` (66) where no host has been.
 */
export async function removeHost(request: RemoveHost): Promise<RemovedHost> {
  const { data, id, socket, config, signal } = request;
  await using closing = new AsyncDisposableStack();
  const host = id ?? (await endedHost(data, closing));
  const release = config && {
    open: openHostStores(config, closing).state,
    prefix: HOSTS_PREFIX,
    ...{ host, here: await placeOf(socket, signal), hasEnded: id === undefined, signal },
  };
  let away: RuntimeError | undefined;
  const standing =
    release &&
    (await standingOf(release).catch((error: unknown) => {
      // Its store may be gone as well: what is here is taken away all the same.
      if (!isRuntimeError(error, 'unavailable', 'denied')) throw error;
      away = error;
      return undefined;
    }));
  // Its id is meant as that of another place, which is gone: here it lives.
  const traces = standing?.livesHere ? nothing : await removeTraces({ host, socket, signal });
  const bots = standing && (await releaseHost(release!));
  const isNothing = traces.containers === 0 && traces.networks === 0 && !traces.rules;
  if (id !== undefined && isNothing && !standing?.isKnown) throw away ?? unknown(id, config);
  return { id: host, ...traces, bots, storeAnswers: standing !== undefined };
}

const nothing: Removed = { containers: 0, networks: 0, rules: false };

/** The host of a data folder, which is kept from running until `closing`. */
async function endedHost(data: string, closing: AsyncDisposableStack): Promise<string> {
  const own = join(data, 'host-id');
  if (!existsSync(own))
    throw new RuntimeError('not-found', `no host has worked with ${data}`, {
      path: data,
      hint: 'Where its data folder is gone: --id, the label runtime.host of its networks (docker network ls, inspect).',
    });
  // The0's services have a folder each below the one that they share.
  for (const folder of [data, ...readdirSync(data).map((name) => join(data, name))]) {
    const folders = createFolders(folder);
    if (!existsSync(folders.lock)) continue;
    const lock = await lockData(folders);
    closing.defer(() => lock.close());
  }
  return readFileSync(own, 'utf8').trim();
}

async function placeOf(socket: string | undefined, signal: AbortSignal): Promise<EnginePlace> {
  const address = parseEngineAddress(socket);
  const client = createDockerClient(address);
  try {
    return await readPlace(client, 'socketPath' in address, signal);
  } finally {
    client.close();
  }
}

function unknown(id: string, config: Config | undefined): RuntimeError {
  const hint =
    config === undefined
      ? 'Its store knows it as well: name that by the variables that the host was given (MINIO_*, STORE_URL).'
      : 'Ids are in `runtime doctor --host`, in the messages of bots that it has, and in the label runtime.host of its networks (docker network ls, inspect).';
  return new RuntimeError('not-found', `nothing here or in the store is of a host ${id}`, {
    op: 'host.remove',
    hint,
  });
}
