import { randomBytes } from 'node:crypto';
import type { ObjectInfo } from '../../store/objectStore.ts';
import { S3Refusal } from './s3Refusal.ts';

/** A part of an upload: the whole old object, or bytes that come after it. */
export type Part =
  | { readonly type: 'copy'; readonly base: ObjectInfo; readonly start: number; readonly end: number }
  | { readonly type: 'bytes'; readonly bytes: Buffer };

export interface Upload {
  /** Whose: an access key. */
  readonly holder: string;
  readonly bucket: string;
  readonly key: string;
  readonly at: number;
  readonly parts: Map<number, Part>;
}

/** Bytes that parts may have in all: what is appended is small. */
const MAX_BYTES = 64 * 2 ** 20;
const MAX_UPLOADS = 1000;
const MAX_AGE_MS = 600_000;

/** Appends under way. In memory: an upload that is lost with the server is begun anew by whoever appends. */
export interface Uploads {
  create(holder: string, bucket: string, key: string): string;
  /** Throws `NoSuchUpload`. */
  of(id: string, bucket: string, key: string): Upload;
  add(upload: Upload, number: number, part: Part): void;
  remove(id: string): void;
  list(bucket: string, prefix: string): readonly { readonly key: string; readonly id: string }[];
}

const bytesOf = ({ parts }: Upload): number =>
  [...parts.values()].reduce((sum, part) => sum + (part.type === 'bytes' ? part.bytes.length : 0), 0);

export function createUploads(now: () => number): Uploads {
  const open = new Map<string, Upload>();
  const bytes = () => [...open.values()].reduce((sum, upload) => sum + bytesOf(upload), 0);
  /** Whoever has the most loses its oldest one, so that nobody keeps the others from saving; throws where that is who asks. */
  const makeRoom = (asking: string, weigh: (upload: Upload) => number) => {
    const held = new Map<string, number>();
    for (const upload of open.values())
      held.set(upload.holder, (held.get(upload.holder) ?? 0) + weigh(upload));
    const [most] = [...held].sort(([, a], [, b]) => b - a)[0] ?? [asking];
    const oldest = [...open].find(([, upload]) => upload.holder === most && weigh(upload) > 0);
    if (most === asking || oldest === undefined) throw new S3Refusal(503, 'SlowDown');
    open.delete(oldest[0]);
  };
  const forgetOld = () => {
    for (const [id, { at }] of open) if (now() - at > MAX_AGE_MS) open.delete(id);
  };

  return {
    create: (holder, bucket, key) => {
      forgetOld();
      if (open.size >= MAX_UPLOADS) makeRoom(holder, () => 1);
      const id = randomBytes(16).toString('hex');
      open.set(id, { holder, bucket, key, at: now(), parts: new Map() });
      return id;
    },
    of: (id, bucket, key) => {
      const upload = open.get(id);
      if (upload?.bucket === bucket && upload.key === key) return upload;
      throw new S3Refusal(404, 'NoSuchUpload');
    },
    add: (upload, number, part) => {
      if (part.type === 'bytes')
        while (bytes() + part.bytes.length > MAX_BYTES) makeRoom(upload.holder, bytesOf);
      upload.parts.set(number, part);
    },
    remove: (id) => void open.delete(id),
    list: (bucket, prefix) =>
      [...open].flatMap(([id, upload]) =>
        upload.bucket === bucket && upload.key.startsWith(prefix) ? [{ key: upload.key, id }] : [],
      ),
  };
}
