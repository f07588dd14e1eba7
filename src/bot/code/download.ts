import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { isRuntimeError, RuntimeError } from '../../base/errors.ts';
import type { Memory, ObjectStore, StoredObject } from '../../store/objectStore.ts';
import { bufferSource, fileSource } from './archiveSource.ts';
import { arrivingArchive } from './arrivingArchive.ts';
import type { Downloaded } from './downloaded.ts';
import { receive } from './receive.ts';
import { refused } from './refused.ts';
import { isWorthwhile } from './twoThreads.ts';

export interface DownloadOptions {
  readonly store: ObjectStore;
  readonly key: string;
  /** Limit on the archive, bytes. */
  readonly maxBytes: number;
  /** Archives up to this many bytes stay in memory; larger ones go to `file`. */
  readonly inMemoryBytes: number;
  /** Does not exist yet. */
  readonly file: string;
  readonly signal?: AbortSignal | undefined;
}

/** The archive's bytes, hashed as they arrive. `not-found`, or `damaged` when it is larger than allowed. */
export async function download(options: DownloadOptions): Promise<Downloaded> {
  const { maxBytes, inMemoryBytes } = options;
  let shared: Buffer<SharedArrayBuffer> | undefined;
  const memoryFor = (bytes: number) => {
    if (bytes > Math.min(maxBytes, inMemoryBytes) || !isWorthwhile(bytes)) return undefined;
    if (shared?.length !== bytes) shared = Buffer.from(new SharedArrayBuffer(bytes));
    return shared;
  };
  const object = await getArchive(options, memoryFor);
  try {
    if (object.size > maxBytes) {
      throw refused(`it has ${object.size} bytes, more than the ${maxBytes} allowed`, {
        hint: 'Make the code smaller, or raise MAX_CODE_SIZE_MB.',
      });
    }
    if (object.size > inMemoryBytes) return await intoFile(object, options.file);
    const memory = memoryFor(object.size);
    return memory ? await arrivingArchive(object, memory, options) : await intoMemory(object);
  } catch (error) {
    object.body.destroy();
    throw error;
  }
}

async function getArchive({ store, key, signal }: DownloadOptions, into: Memory): Promise<StoredObject> {
  try {
    return await store.get(key, { into, signal });
  } catch (error) {
    if (!isRuntimeError(error, 'not-found')) throw error;
    throw new RuntimeError('not-found', `no code archive ${JSON.stringify(key)} in ${store.name}`, {
      op: 'code.pull',
      path: key,
      hint: `Look whether ${store.name} is the bucket meant (MINIO_CODE_BUCKET) and holds ${key} (CODE_FILE).`,
      cause: error,
    });
  }
}

async function intoMemory(object: StoredObject): Promise<Downloaded> {
  const bytes = Buffer.allocUnsafeSlow(object.size);
  const sha256 = await receive(object, (chunk, position) => bytes.set(chunk, position));
  return {
    source: bufferSource(bytes),
    sha256: Promise.resolve(sha256),
    etag: object.etag,
    close: async () => {},
  };
}

async function intoFile(object: StoredObject, file: string): Promise<Downloaded> {
  const { O_RDWR, O_CREAT, O_EXCL } = constants;
  const fd = openSync(file, O_RDWR | O_CREAT | O_EXCL, 0o600);
  try {
    const sha256 = await receive(object, (chunk, position) => {
      for (let done = 0; done < chunk.length; ) {
        done += writeSync(fd, chunk, done, chunk.length - done, position + done);
      }
    });
    return {
      source: fileSource(fd),
      sha256: Promise.resolve(sha256),
      etag: object.etag,
      close: async () => closeSync(fd),
    };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
