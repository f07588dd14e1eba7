import type { ObjectStore, StoredObject } from '../../store/objectStore.ts';
import { getBytes } from '../../store/readAll.ts';
import { placeChunk } from '../../store/readInto.ts';
import { type ArchiveSource, bufferSource, checkRange } from './archiveSource.ts';
import { Arrival } from './arrival.ts';
import type { Downloaded } from './downloaded.ts';
import { receive } from './receive.ts';
import { refused } from './refused.ts';
import type { SecondThread } from './twoThreads.ts';

/** What is asked for of the end, where a zip has its directory: more than that takes for files of some KiB. Bytes. */
const tailBytes = (size: number) => Math.max(256 * 1024, Math.ceil(size / 64));

export interface ArrivingOptions {
  readonly store: ObjectStore;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A large archive in memory that threads share. Of a zip the end is asked for at the same time, so that it can be unpacked while the rest
 * arrives, by two threads. `sha256` says when all is there, and rejects where the end was another one than what came in its place.
 */
export async function arrivingArchive(
  object: StoredObject,
  memory: Buffer<SharedArrayBuffer>,
  { store, signal }: ArrivingOptions,
): Promise<Downloaded> {
  const { size, etag } = object;
  const arrival = new Arrival();
  const over = new AbortController();
  let thread: Promise<SecondThread> | undefined;
  const start = size - tailBytes(size);
  const whole = receive(object, (chunk, position) => {
    placeChunk(memory, chunk, position);
    arrival.reached(position + chunk.length);
  });
  whole.catch((error: unknown) => arrival.fail(error)).finally(() => over.abort());
  const close = async () => {
    object.body.destroy();
    over.abort();
    await whole.catch(() => undefined);
    await (await thread)?.close();
  };
  try {
    const ended = signal ? AbortSignal.any([signal, over.signal]) : over.signal;
    // At once, whatever it is: it is what all else waits for.
    const ending = endOf(object, start, store, ended);
    await arrival.until(FORMAT_BYTES);
    const isZip = memory.readUInt32LE(0) === ZIP;
    if (isZip)
      thread = import('./parts/secondThread.ts').then(({ startSecondThread }) =>
        startSecondThread(memory.buffer),
      );
    const secondThread = await thread;
    const tail = isZip ? await ending : undefined;
    if (!tail) await whole;
    const source = tail ? partly(memory, arrival, tail) : bufferSource(memory);
    const sha256 = whole.then((digest) => {
      if (!tail || tail.equals(memory.subarray(start))) return digest;
      throw refused('the store sent another end of it than it has');
    });
    sha256.catch(() => undefined);
    return { source: { ...source, secondThread }, sha256, etag, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Undefined where it cannot be had, or comes too late: then the whole has to be there first. */
async function endOf(
  { key, etag, size }: StoredObject,
  start: number,
  store: ObjectStore,
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  try {
    const range = { start, end: size };
    return (await getBytes(store, key, { range, ifMatch: etag, maxBytes: size, signal })).bytes;
  } catch {
    return undefined;
  }
}

const ZIP = 0x04034b50;
/** What tells the format of an archive. */
const FORMAT_BYTES = 512;

/** An archive of which the beginning is there, and the end. */
function partly(memory: Buffer, arrival: Arrival, tail: Buffer): ArchiveSource {
  const { length: size } = memory;
  const start = size - tail.length;
  return {
    size,
    arrived: (end) => arrival.until(Math.min(end, size)),
    read: (position, length) => {
      checkRange(position, length, size);
      if (position >= start) return tail.subarray(position - start, position - start + length);
      if (position + length > arrival.length) throw refused('it has not arrived yet');
      return memory.subarray(position, position + length);
    },
  };
}
