import { randomUUID } from 'node:crypto';
import { type Files, tarGz } from '../files/tarGz.ts';
import { type MinioAddress, minioClient, minioEnv } from '../store/minio.ts';
import { testBucket } from '../store/testBucket.ts';

export interface Deployment {
  readonly kind: string;
  readonly entrypoint: string;
  readonly files: Files;
  readonly config?: unknown;
  /** Of an earlier deployment: its state is taken over. */
  readonly botId?: string;
}

/** Bots for containers, on a real store. */
export async function containerBots(minio: MinioAddress) {
  const client = minioClient(minio);
  const code = testBucket('code');
  await client.makeBucket(code);
  return {
    /** Uploads the bot's code; the environment that its container starts with. */
    async deploy({ kind, entrypoint, files, config = {}, botId = `bot-${randomUUID()}` }: Deployment) {
      const archive = await tarGz(files);
      const key = `${botId}/${randomUUID()}.tar.gz`;
      await client.putObject(code, key, archive, archive.length);
      return {
        ...minioEnv(minio),
        MINIO_CODE_BUCKET: code,
        BOT_ID: botId,
        RUNTIME: kind,
        ENTRYPOINT: entrypoint,
        CODE_FILE: key,
        BOT_CONFIG: JSON.stringify(config),
      };
    },
    /** Keys in a bucket, as the other client sees them. */
    async keys(bucket: string, prefix: string): Promise<string[]> {
      const keys: string[] = [];
      for await (const { name } of client.listObjectsV2(bucket, prefix, true)) keys.push(name);
      return keys;
    },
  };
}
