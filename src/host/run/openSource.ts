import { resolve } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import type { Env } from '../../base/env.ts';
import { RuntimeError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { parseDuration } from '../../bot/config/duration.ts';
import { bucketName } from '../../bot/config/parsers.ts';
import type { ObjectStore } from '../../store/objectStore.ts';
import type { Source } from '../sources/source.ts';

export interface SourceDeps {
  readonly cwd: string;
  readonly env: Env;
  readonly clock: Clock;
  readonly log: Logger;
  readonly code: () => Promise<ObjectStore>;
  /** Any bucket of the store. */
  readonly bucket: (name: string) => Promise<ObjectStore>;
}

/** Events of the0's API make it sooner. */
const MONGO_EVERY_MS = 10_000;

/** The source that `--bots` names. Throws `config`. */
export async function openSource(text: string, deps: SourceDeps): Promise<Source> {
  const [, scheme = 'dir', rest = ''] = /^(?:([a-z0-9+]+):)?(.*)$/s.exec(text) ?? [];
  switch (scheme) {
    case 'dir': {
      const { openDirectorySource } = await import('../sources/directory.ts');
      return openDirectorySource({ path: resolve(deps.cwd, rest), clock: deps.clock, code: deps.code });
    }
    case 's3': {
      const [, bucket = '', prefix = ''] = /^\/\/([^/]+)\/?(.*)$/.exec(rest) ?? [];
      if (bucketName.parse(bucket) === undefined) throw noSource(text);
      const { openBucketSource } = await import('../sources/bucket.ts');
      const store = await deps.bucket(bucket);
      return openBucketSource({ label: text, store, prefix: prefix.replace(/\/+$/, ''), clock: deps.clock });
    }
    case 'mongodb':
    case 'mongodb+srv': {
      const { openMongoSource } = await import('../sources/the0/mongo.ts');
      return openMongoSource({
        uri: text,
        natsUrl: deps.env.NATS_URL || undefined,
        defaults: {
          memoryMiB: number(deps.env.BOT_MEMORY_LIMIT_MB, 512),
          cpuShares: number(deps.env.BOT_CPU_SHARES, 512),
        },
        everyMs: parseDuration(deps.env.RECONCILE_INTERVAL ?? '') || MONGO_EVERY_MS,
        clock: deps.clock,
        log: deps.log,
      });
    }
    default:
      throw noSource(text);
  }
}

/** As the0: a wrong number counts as the default. */
function number(text: string | undefined, usual: number): number {
  return text !== undefined && /^[1-9]\d{0,8}$/.test(text) ? Number(text) : usual;
}

function noSource(text: string): RuntimeError {
  return new RuntimeError('config', `--bots ${text}: no such source`, {
    op: 'host.source',
    hint: 'Expected dir:PATH, s3://BUCKET/PREFIX or mongodb://….',
  });
}
