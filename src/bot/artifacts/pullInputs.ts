import { createHash } from 'node:crypto';
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { asRuntimeError, isRuntimeError, RuntimeError, systemCode } from '../../base/errors.ts';
import type { Owner } from '../../base/owner.ts';
import type { ObjectStore, StoredObject } from '../../store/objectStore.ts';
import type { TaskInput } from '../config/task.ts';
import { insideFolder } from './insideFolder.ts';

export interface PullInputsOptions {
  /** The code bucket. */
  readonly store: ObjectStore;
  readonly inputs: readonly TaskInput[];
  readonly codePath: string;
  /** Whom they belong to; undefined: whoever we are. */
  readonly owner: Owner | undefined;
  /** Limit on each of them. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

const NEW = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/**
 * Brings the inputs that have a key to their paths, each whole and verified or not at all. Errors name the input: `not-found` (66),
 * `damaged` (65: another checksum, too large), `unavailable`, `denied` (69), `config` (78: it cannot be written there).
 */
export async function pullInputs(options: PullInputsOptions): Promise<void> {
  for (const input of options.inputs) {
    const { id, key, path } = input;
    if (key === undefined || path === undefined) continue;
    await pullInput(options, input, key, path).catch((error: unknown) => {
      options.signal.throwIfAborted();
      throw named(error, id);
    });
  }
}

async function pullInput(
  { store, codePath, owner, maxBytes, signal }: PullInputsOptions,
  { sha256 }: TaskInput,
  key: string,
  path: string,
): Promise<void> {
  const object = await store.get(key, { signal });
  try {
    if (object.size > maxBytes) {
      throw new RuntimeError(
        'damaged',
        `${key} has ${object.size} bytes, more than the ${maxBytes} allowed`,
        {
          hint: 'MAX_CODE_SIZE_MB is the limit on each input.',
        },
      );
    }
    await insideFolder(codePath, path, { owner }, async (place) => {
      // Left by a start that was killed.
      const part = place.replace(/[^/]+$/, `.runtime-input.${sha256Of(path).slice(0, 16)}`);
      rmSync(part, { force: true });
      const fd = openSync(part, NEW, 0o644);
      try {
        const found = await receive(object, fd);
        if (sha256 !== undefined && found !== sha256) {
          throw new RuntimeError('damaged', `${key} has the SHA-256 ${found}, not ${sha256}`, {
            hint: 'The object or the checksum in the task is out of date.',
          });
        }
        // Whatever the umask is.
        fchmodSync(fd, 0o644);
        if (owner) fchownSync(fd, owner.uid, owner.gid);
        // Last: what is there under its own name is whole.
        renameSync(part, place);
      } finally {
        closeSync(fd);
        rmSync(part, { force: true });
      }
    });
  } finally {
    object.body.destroy();
  }
}

async function receive(object: StoredObject, fd: number): Promise<string> {
  const digest = createHash('sha256');
  let length = 0;
  for await (const chunk of object.body as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > object.size) break;
    digest.update(chunk);
    for (let done = 0; done < chunk.length; ) done += writeSync(fd, chunk, done);
  }
  if (length === object.size) return digest.digest('hex');
  throw new RuntimeError('unavailable', `the store did not send the ${object.size} bytes of ${object.key}`, {
    retryable: true,
  });
}

function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function named(error: unknown, id: string): RuntimeError {
  const { code, message, hint } = asRuntimeError(error);
  const details = { op: 'inputs.pull', cause: error };
  if (!isRuntimeError(error)) {
    const isFull = ['ENOSPC', 'EDQUOT'].includes(systemCode(error) ?? '');
    return new RuntimeError(
      isFull ? 'unavailable' : 'config',
      `the input ${id} cannot be written: ${message}`,
      {
        ...details,
        hint: 'Inputs are put below CODE_PATH, which has to be writable for them.',
      },
    );
  }
  return new RuntimeError(code, `the input ${id}: ${message}`, {
    ...details,
    ...(hint === undefined ? {} : { hint }),
  });
}
