import type { Env } from '../../base/env.ts';
import type { Buckets } from '../../store/storeConfig.ts';

/** What an operator says once for all bots. */
const passedOn = [
  'ALLOW_EXPERIMENTAL',
  'LOG_FORMAT',
  'LOG_LEVEL',
  'MAX_CODE_SIZE_MB',
  'MAX_STATE_FILE_SIZE_MB',
  'MAX_STATE_SIZE_MB',
  'QUERY_CONCURRENCY',
  'QUERY_TIMEOUT',
  'START_TIMEOUT',
  'STATE_EXPORT',
  'STATE_FREEZE',
  'STATE_KEEP',
  'SYNC_INTERVAL',
  'SYNC_ON_CHANGE',
] as const;

/** The variables that every bot's container gets: one configuration, passed on whole. */
export function sharedEnv(env: Env, buckets: Buckets): Record<string, string> {
  const shared: Record<string, string> = {
    MINIO_CODE_BUCKET: buckets.code,
    MINIO_STATE_BUCKET: buckets.state,
    MINIO_LOGS_BUCKET: buckets.logs,
    MINIO_QUERY_RESULTS_BUCKET: buckets.results,
  };
  for (const name of passedOn) {
    const value = env[name];
    if (value !== undefined && value !== '') shared[name] = value;
  }
  return shared;
}
