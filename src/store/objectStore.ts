import type { Readable } from 'node:stream';

/**
 * One bucket of an object store. Three implementations keep this promise (`s3.ts`, `aws.ts`, `file.ts`) and one
 * contract suite (`test/contract/objectStore.test.ts`) holds all of them to it.
 *
 * Keys are `/`-separated UTF-8 without empty, `.` or `..` segments and without control characters, at most 1,024
 * bytes (`checkKey`). No key may continue another one (`a` and `a/b`): stores differ in what they make of it.
 *
 * Every method throws a `RuntimeError` whose `retryable` the adapter decided: `not-found` (object or bucket),
 * `conflict` (a condition did not hold), `denied`, `unavailable`, `damaged` (checksum, key or size not acceptable),
 * `config` (a bucket that can have no such name), `refused` (a file store with a link in it).
 * A body may fail with the same errors while it is read. What `signal` ends rejects with the signal's reason.
 * Nothing here retries; `withRetry` does.
 *
 * A write that fails with `unavailable` may have happened all the same: the answer was lost, not the request.
 */
export interface ObjectStore {
  /** For messages: `s3 bucket "bot-state" at 127.0.0.1:9000`. Holds no secret. */
  readonly name: string;
  /** The object's bytes from one moment; `not-found` when it is not there. */
  get(key: string, options?: GetOptions): Promise<StoredObject>;
  head(key: string, options?: HeadOptions): Promise<ObjectInfo>;
  /**
   * Writes the object whole: readers see the old bytes or the new, never a mixture, and a failure leaves the
   * old. The bucket is created when it is missing and the store was opened so. `conflict` when a condition fails.
   */
  put(key: string, body: ObjectBody, options?: PutOptions): Promise<{ readonly etag: string }>;
  /**
   * Adds `tail` after an object known to be `base`, without sending the old bytes again where the store can copy
   * on its side (S3: only from `APPEND_MIN_BYTES` on, below that `damaged` is thrown). `conflict` when the object is
   * no longer `base`.
   */
  append(
    key: string,
    base: ObjectInfo,
    tail: Uint8Array,
    options?: CallOptions,
  ): Promise<{ readonly etag: string }>;
  /**
   * Makes the object `to` of the bytes of `from`, in the store itself. Whatever `to` was is replaced. `from` has at most 5 GiB, and only a
   * writer of immutable objects may call it: which bytes of one that changes are copied is not said.
   */
  copy(from: string, to: string, options?: CallOptions): Promise<void>;
  /** Everything under `prefix`, by key in UTF-8 order. A listing that fails half-way throws; it is never short. */
  list(prefix: string, options?: ListOptions): AsyncIterable<ObjectInfo>;
  /** Removing what is not there is no error. */
  delete(key: string, options?: CallOptions): Promise<void>;
  /** The store's own clock, milliseconds since the epoch. Ages of objects are measured by nothing else. */
  now(options?: CallOptions): Promise<number>;
  /** Gives up idle connections. */
  close(): void;
}

/** S3 copies parts of at least 5 MiB only (all but the last of a multipart upload). */
export const APPEND_MIN_BYTES = 5 * 1024 * 1024;

/** Memory for so many bytes that are about to come; undefined: none. Asked again, it is the same. */
export type Memory = (bytes: number) => Uint8Array | undefined;

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface HeadOptions extends CallOptions {
  /** Also what the store knows of the object's checksum; what has to read the object for it may leave it out of one of `below` bytes or more. */
  readonly checksum?: boolean | { readonly below: number } | undefined;
}

export interface ListOptions extends CallOptions {
  /** Only keys after this one. */
  readonly startAfter?: string | undefined;
}

export interface GetOptions extends CallOptions {
  /** Bytes `start` (inclusive) to `end` (exclusive, cut at the object's end); `damaged` when `start` is after its end. */
  readonly range?: { readonly start: number; readonly end: number } | undefined;
  /** `conflict` unless the object still has this tag. */
  readonly ifMatch?: string | undefined;
  /** Where the bytes may be put, from its start: chunks of the body may lie there already (`readInto`). Nobody else writes there meanwhile. */
  readonly into?: Memory | undefined;
}

export interface PutOptions extends CallOptions {
  /** Only over exactly this object. */
  readonly ifMatch?: string | undefined;
  /** Only where there is no object yet. */
  readonly ifNoneMatch?: '*' | undefined;
  /** The object that is there may hold these very bytes: a conflict is one, also where an attempt before it had no answer. */
  readonly mayBeThere?: boolean | undefined;
  /** Hex SHA-256 of the body, when the caller has it; the store checks what arrived against it. */
  readonly sha256?: string | undefined;
  readonly contentType?: string | undefined;
}

export interface ObjectInfo {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /** Opaque; equal tags mean equal objects. */
  readonly etag: string;
  /** By the store's clock, milliseconds since the epoch. */
  readonly modified: number;
  /** Hex SHA-256 of the bytes, where it was asked for and the store can tell. */
  readonly sha256?: string | undefined;
}

export interface StoredObject extends ObjectInfo {
  /** The bytes asked for; `size` is the whole object's size. Must be read to the end or destroyed. */
  readonly body: Readable;
}

/** Bytes, or a source of known size that can be opened again for another try. */
export type ObjectBody = Uint8Array | { readonly size: number; open(): Readable };
