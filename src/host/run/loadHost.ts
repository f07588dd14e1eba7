import { isatty } from 'node:tty';
import type { Invocation } from '../../base/command/command.ts';
import type { Env } from '../../base/env.ts';
import { createLogger, type Logger } from '../../base/log.ts';
import type { Config } from '../../bot/config/config.ts';
import { mergeSources } from '../../bot/config/mergeSources.ts';
import { readConfig } from '../../bot/config/readConfig.ts';

export interface LoadedHost {
  readonly env: Env;
  /** The store, its buckets, the limits that bots get. */
  readonly config: Config;
  readonly log: Logger;
}

/** What a host reads of its environment beside its own settings. Throws `config` with all problems. */
export async function loadHost({
  env: given,
  stderr,
}: Pick<Invocation, 'env' | 'stderr'>): Promise<LoadedHost> {
  // The0's services know the store's encryption under another name as well.
  const alias = given.MINIO_SSL && !given.MINIO_USE_SSL ? { MINIO_USE_SSL: given.MINIO_SSL } : {};
  const { env } = mergeSources({ env: { ...given, ...alias }, flags: {} });
  const uid = process.getuid?.() ?? -1;
  const config = await readConfig(env, { role: 'operator', knownKinds: [], uid, isTTY: isatty(2) });
  const log = createLogger({
    ...config.log,
    role: 'host',
    now: Date.now,
    write: (line) => void stderr.write(line),
  });
  return { env, config, log };
}
