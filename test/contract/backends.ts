import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { openFolderStore } from '../../src/host/folderStore/openFolderStore.ts';
import type { ObjectStore } from '../../src/store/objectStore.ts';
import { collect } from '../support/collect.ts';
import { memoryLog } from '../support/memoryLog.ts';
import { type MinioAddress, minioClient } from '../support/store/minio.ts';
import { testBucket } from '../support/store/testBucket.ts';
import { openPlace, type Place } from './place.ts';

export interface Backend {
  readonly place: Place;
  readonly store: ObjectStore;
  /** The object's bytes by other means than the store under test. */
  readBack(key: string): Promise<Buffer>;
  /** Keys of multipart uploads that were begun and not ended. */
  openUploads(): Promise<string[]>;
  remove(): Promise<void>;
}

/** A bucket that does not exist yet. */
export async function openBackend(type: Place['type'] | 'folder'): Promise<Backend> {
  const bucket = testBucket(type);
  if (type === 'folder') return await openServedFolder(bucket);
  return type === 'file' ? await openFileBackend(bucket) : openMinioBackend(type, bucket, inject('minio'));
}

async function openFileBackend(bucket: string): Promise<Backend> {
  const dir = await mkdtemp(join(tmpdir(), 'store-'));
  const place: Place = { type: 'file', dir, bucket };
  return {
    place,
    store: openPlace(place),
    readBack: (key) => readFile(join(dir, bucket, key)),
    openUploads: async () => [],
    remove: () => rm(dir, { recursive: true }),
  };
}

/** A folder that is served as S3, and asked by the client that containers have. */
async function openServedFolder(bucket: string): Promise<Backend> {
  const dir = await mkdtemp(join(tmpdir(), 'store-'));
  const { log } = memoryLog();
  const served = await openFolderStore({
    path: dir,
    port: 0,
    servesAt: () => false,
    clock: systemClock,
    log,
  });
  const { endpoint, accessKey, secretKey } = served.config;
  const place: Place = {
    type: 's3',
    bucket,
    endpoint,
    port: Number(new URL(endpoint).port),
    accessKey: accessKey.reveal(),
    secretKey: secretKey.reveal(),
  };
  return {
    place,
    store: openPlace(place),
    readBack: (key) => readFile(join(dir, bucket, key)),
    openUploads: async () => [],
    remove: async () => {
      await served.close();
      await rm(dir, { recursive: true });
    },
  };
}

export function openMinioBackend(type: 's3' | 'aws', bucket: string, minio: MinioAddress): Backend {
  const place: Place = { type, bucket, ...minio };
  const client = minioClient(minio);
  return {
    place,
    store: openPlace(place),
    readBack: async (key) => Buffer.concat(await collect(await client.getObject(bucket, key))),
    openUploads: async () => {
      const uploads = await collect(client.listIncompleteUploads(bucket, '', true));
      return uploads.map((upload) => String(upload.key));
    },
    remove: async () => {
      if (!(await client.bucketExists(bucket))) return;
      const objects = await collect(client.listObjects(bucket, '', true));
      await client.removeObjects(
        bucket,
        objects.map((object) => String(object.name)),
      );
      await client.removeBucket(bucket);
    },
  };
}
