import { resolve } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { RuntimeError } from '../../base/errors.ts';
import { bucketName } from '../../bot/config/parsers.ts';
import type { ObjectStore } from '../../store/objectStore.ts';
import type { Source } from '../sources/source.ts';

export interface SourceDeps {
  readonly cwd: string;
  readonly clock: Clock;
  readonly code: () => Promise<ObjectStore>;
  /** Any bucket of the store. */
  readonly bucket: (name: string) => Promise<ObjectStore>;
}

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
    default:
      throw noSource(text);
  }
}

function noSource(text: string): RuntimeError {
  return new RuntimeError('config', `--bots ${text}: no such source`, {
    op: 'host.source',
    hint: 'Expected dir:PATH or s3://BUCKET/PREFIX.',
  });
}
