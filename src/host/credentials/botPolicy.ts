import { RuntimeError } from '../../base/errors.ts';
import type { Buckets } from '../../store/storeConfig.ts';
import type { Scope } from './seals.ts';

/** MinIO and AWS take no longer one. Bytes. */
const LONGEST = 2048;

export interface BotObjects {
  readonly bot: string;
  /** Keys in the code bucket: the archive, and inputs of a task. */
  readonly code: readonly string[];
}

/**
 * What an instance may do in the store: its bot's own objects and no other's. `query` sees them and changes nothing but results.
 * Throws `config` where that cannot be said.
 */
export function botPolicy({ bot, code }: BotObjects, buckets: Buckets, scope: Scope): string {
  const own = (bucket: string, pattern: string) => `arn:aws:s3:::${bucket}/${pattern}`;
  const read = ['s3:GetObject'];
  const write = ['s3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload'];
  const state = own(buckets.state, `${bot}/*`);
  const logs = own(buckets.logs, `logs/${bot}/*`);
  // What an agent's turns have cost.
  const usage = own(buckets.logs, `usage/${bot}/*`);
  const results = own(buckets.results, `${bot}/*`);
  const kept = [state, logs, usage];
  const codes = code.map((key) => own(buckets.code, exactly(key)));
  // Each said once: the longest id has to fit in.
  const [seen, changed] = scope === 'bot' ? [codes, [...kept, results]] : [[...kept, ...codes], [results]];
  const statements = [
    ...(seen.length > 0 ? [{ Action: read, Resource: seen }] : []),
    { Action: [...read, ...write], Resource: changed },
    ...[
      { bucket: buckets.state, prefixes: [`${bot}/*`] },
      { bucket: buckets.logs, prefixes: [`logs/${bot}/*`, `usage/${bot}/*`] },
    ].map(({ bucket, prefixes }) => ({
      Action: ['s3:ListBucket'],
      Resource: [`arn:aws:s3:::${bucket}`],
      Condition: { StringLike: { 's3:prefix': prefixes } },
    })),
    // Names of unfinished uploads cannot be narrowed to a prefix; what is in them can, above.
    ...(scope === 'bot'
      ? [{ Action: ['s3:ListBucketMultipartUploads'], Resource: [`arn:aws:s3:::${buckets.logs}`] }]
      : []),
  ];
  const policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: statements.map((statement) => ({ Effect: 'Allow', ...statement })),
  });
  if (Buffer.byteLength(policy) <= LONGEST) return policy;
  throw new RuntimeError('config', `${bot}: its policy for the store would have over ${LONGEST} bytes`, {
    hint: 'Shorten the keys of its code and inputs, or put the inputs into the code archive.',
  });
}

/** A pattern that means this key alone. */
function exactly(key: string): string {
  if (!/[*?$\\]/.test(key)) return key;
  throw new RuntimeError(
    'config',
    `the key ${JSON.stringify(key)} would open other objects of the code bucket`,
    {
      hint: 'Keys of code and inputs must not hold * ? $ or a backslash.',
    },
  );
}
