import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RuntimeError } from '../../base/errors.ts';
import { createFolders } from '../data/folders.ts';
import { type Removed, removeTraces } from '../engine/docker/removeTraces.ts';
import { lockData } from './lockData.ts';

export interface RemoveHost {
  /** The host's data folder; nothing of it is removed. */
  readonly data: string;
  /** The host's name on the engine, where its data folder is gone. */
  readonly id: string | undefined;
  readonly socket: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * Takes away what a host that will not come back has left on this machine. Throws `fenced` (75) while it runs, `refused` (77) while
 * bots of it do, `not-found` (66) where no host has been.
 */
export async function removeHost({
  data,
  id,
  socket,
  signal,
}: RemoveHost): Promise<Removed & { id: string }> {
  await using closing = new AsyncDisposableStack();
  if (id !== undefined) return { id, ...(await removeTraces({ host: id, socket, signal })) };
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
  const host = readFileSync(own, 'utf8').trim();
  return { id: host, ...(await removeTraces({ host, socket, signal })) };
}
