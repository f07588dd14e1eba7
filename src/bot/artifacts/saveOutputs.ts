import { createHash } from 'node:crypto';
import { closeSync, constants, createReadStream, fstatSync, openSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { asRuntimeError, RuntimeError, systemCode } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { Owner } from '../../base/owner.ts';
import type { ObjectStore } from '../../store/objectStore.ts';
import { outputKey } from '../config/outputKey.ts';
import type { TaskOutput } from '../config/task.ts';
import { insideFolder } from './insideFolder.ts';

export interface SaveOutputsOptions {
  /** The state bucket. */
  readonly store: ObjectStore;
  readonly bot: string;
  readonly outputs: readonly TaskOutput[];
  readonly codePath: string;
  /** Whom the bot ran as; undefined: whoever we are. */
  readonly owner: Owner | undefined;
  /** Limit on each of them. */
  readonly maxBytes: number;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/**
 * Saves the outputs that have a key. The bot has ended well, and its state is saved: what it has left is what it meant to leave.
 * An output that it has not made is a warning; one that is not a file, or that cannot be saved, is an error, when all have been tried.
 */
export async function saveOutputs(options: SaveOutputsOptions): Promise<void> {
  const problems: string[] = [];
  for (const output of options.outputs) {
    if (output.key === undefined) continue;
    await saveOutput(options, output, output.key).catch((error: unknown) => {
      options.signal.throwIfAborted();
      problems.push(`the output ${output.id}: ${asRuntimeError(error).message}`);
    });
  }
  if (problems.length > 0) throw new RuntimeError('unsaved', problems.join('; '), { op: 'outputs.save' });
}

async function saveOutput(
  options: SaveOutputsOptions,
  { id, path }: TaskOutput,
  name: string,
): Promise<void> {
  const { store, bot, codePath, log, signal } = options;
  const fd = await insideFolder(codePath, path, undefined, async (place) =>
    // Not through a link, which could lead to what only we may read; a pipe would never open.
    openSync(place, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK),
  ).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (fd === undefined) {
    log.warn(`the output ${id} was not made: ${path}`);
    return;
  }
  try {
    const size = check(fd, path, options);
    const open = () => createReadStream('', { fd, autoClose: false, start: 0, end: size - 1, signal });
    const digest = createHash('sha256');
    if (size > 0) await pipeline(open(), digest);
    const sha256 = digest.digest('hex');
    const key = outputKey(bot, name);
    await store.put(key, size > 0 ? { size, open } : new Uint8Array(0), { sha256, signal });
    const stored = await store.head(key, { checksum: true, signal });
    if (stored.size !== size || (stored.sha256 ?? sha256) !== sha256) {
      throw new RuntimeError('unavailable', `${store.name} does not have what was written to ${key}`);
    }
    log.debug('output saved', { id, key, bytes: size });
  } finally {
    closeSync(fd);
  }
}

/** Its size; throws for what is not a file of the bot's own. */
function check(fd: number, path: string, { owner, maxBytes }: SaveOutputsOptions): number {
  const stat = fstatSync(fd);
  if (!stat.isFile()) throw new RuntimeError('config', `${path} is not a file`);
  // Another name of a file that only we may read.
  if (stat.nlink > 1 && owner && stat.uid !== owner.uid) {
    throw new RuntimeError('refused', `${path} is another name of a file that is not the bot's`);
  }
  if (stat.size > maxBytes) {
    throw new RuntimeError(
      'damaged',
      `${path} has ${stat.size} bytes, more than the ${maxBytes} allowed (MAX_STATE_SIZE_MB)`,
    );
  }
  return stat.size;
}
