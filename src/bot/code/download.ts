import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { isRuntimeError, RuntimeError } from '../../base/errors.ts';
import { startSha256 } from '../../base/sha256.ts';
import type { ObjectStore, StoredObject } from '../../store/objectStore.ts';
import { type ArchiveSource, bufferSource, fileSource } from './archiveSource.ts';
import { refused } from './refused.ts';
import { isWorthwhile, type SecondThread } from './twoThreads.ts';

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

export interface Downloaded {
  readonly source: ArchiveSource;
  readonly sha256: string;
  readonly etag: string;
  close(): void;
}

/** The archive's bytes, hashed as they arrive. `not-found`, or `damaged` when it is larger than allowed. */
export async function download(options: DownloadOptions): Promise<Downloaded> {
  const object = await getArchive(options);
  if (object.size > options.maxBytes) {
    object.body.destroy();
    throw refused(`it has ${object.size} bytes, more than the ${options.maxBytes} allowed`, {
      hint: 'Make the code smaller, or raise MAX_CODE_SIZE_MB.',
    });
  }
  return object.size <= options.inMemoryBytes ? intoMemory(object) : intoFile(object, options.file);
}

async function getArchive({ store, key, signal }: DownloadOptions): Promise<StoredObject> {
  try {
    return await store.get(key, { signal });
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
  if (isWorthwhile(object.size)) return await intoSharedMemory(object);
  const bytes = Buffer.allocUnsafeSlow(object.size);
  const sha256 = await receive(object, (chunk, position) => bytes.set(chunk, position));
  return { source: bufferSource(bytes), sha256, etag: object.etag, close: () => {} };
}

/** Of a zip: the second thread starts while the bytes are on their way. */
async function intoSharedMemory(object: StoredObject): Promise<Downloaded> {
  const bytes = Buffer.from(new SharedArrayBuffer(object.size));
  let starting: Promise<SecondThread> | undefined;
  const close = () => void starting?.then((thread) => thread.close());
  try {
    const sha256 = await receive(object, (chunk, position) => {
      bytes.set(chunk, position);
      if (position === 0 && bytes.toString('latin1', 0, 2) === 'PK') {
        starting = import('./parts/secondThread.ts').then(({ startSecondThread }) =>
          startSecondThread(bytes.buffer as unknown as SharedArrayBuffer),
        );
      }
    });
    const source = { ...bufferSource(bytes), secondThread: await starting };
    return { source, sha256, etag: object.etag, close };
  } catch (error) {
    close();
    throw error;
  }
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
    return { source: fileSource(fd), sha256, etag: object.etag, close: () => closeSync(fd) };
  } catch (error) {
    object.body.destroy();
    closeSync(fd);
    throw error;
  }
}

async function receive(
  object: StoredObject,
  put: (chunk: Uint8Array, position: number) => void,
): Promise<string> {
  const sha256 = startSha256(object.size);
  let position = 0;
  for await (const chunk of object.body as AsyncIterable<Uint8Array>) {
    if (position + chunk.length > object.size) throw brokenOff(object);
    put(chunk, position);
    sha256.update(chunk);
    position += chunk.length;
  }
  if (position !== object.size) throw brokenOff(object);
  return sha256.digest();
}

function brokenOff({ key, size }: StoredObject): RuntimeError {
  return new RuntimeError('unavailable', `the store did not send the ${size} bytes of ${key}`, {
    op: 'code.pull',
    path: key,
    retryable: true,
  });
}
