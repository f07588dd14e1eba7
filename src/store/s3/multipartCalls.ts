import type { CallOptions } from '../objectStore.ts';

/** The calls of a multipart upload to one key, as an adapter makes them. Parts count from 1. */
export interface MultipartCalls {
  /** Resolves with the upload's id. */
  create(options: CallOptions): Promise<string>;
  /** Copies bytes `start` (inclusive) to `end` (exclusive) of the object itself; `conflict` unless it has the tag. */
  copyPart(
    id: string,
    part: number,
    range: ByteRange,
    ifMatch: string,
    options: CallOptions,
  ): Promise<string>;
  uploadPart(id: string, part: number, bytes: Uint8Array, options: CallOptions): Promise<string>;
  /** `tags` of the parts in order; `conflict` unless the object still has the tag. Resolves with the new one. */
  complete(id: string, tags: readonly string[], ifMatch: string, options: CallOptions): Promise<string>;
  abort(upload: Upload, options: CallOptions): Promise<void>;
  /** Uploads that are open under a prefix; of very many, the first 1,000. */
  list(prefix: string, options: CallOptions): Promise<Upload[]>;
}

export interface Upload {
  readonly key: string;
  readonly id: string;
}

export interface ByteRange {
  readonly start: number;
  readonly end: number;
}
