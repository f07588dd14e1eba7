import type { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import { requireStore } from '../s3/requireStore.ts';

interface Response {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body?: Readable;
}

/** Answers of what is no store, and such as a proxy has made useless, are errors; see `requireStore`. */
export function refuseOthers(client: S3Client, where: string): void {
  const ops: Readonly<Record<string, string>> = {
    GetObjectCommand: 'store.get',
    HeadObjectCommand: 'store.head',
    PutObjectCommand: 'store.put',
  };
  client.middlewareStack.add(
    (next, { commandName = '' }) =>
      async (args) => {
        const result = await next(args);
        const op = ops[commandName];
        if (op === undefined) return result;
        const { statusCode, headers, body } = result.response as Response;
        // A refusal is an error anyway, with or without a tag.
        if (statusCode >= 300) return result;
        const { Bucket, Key } = args.input as { Bucket?: string; Key?: string };
        try {
          requireStore(headers, op, `${Bucket}/${Key} at ${where}`);
        } catch (error) {
          body?.destroy?.();
          throw error;
        }
        return result;
      },
    { step: 'deserialize', name: 'refuseOthers' },
  );
}
