import type { Secret } from '../base/secret.ts';
import type { Renewal } from './s3/renewedKeys.ts';

/** Which store, and how to reach it. */
export type StoreConfig =
  | { readonly type: 'file'; readonly path: string }
  | ({ readonly type: 's3' } & S3Access)
  /** The AWS SDK's credential chain decides. */
  | {
      readonly type: 'aws';
      readonly endpoint: string | undefined;
      readonly region: string | undefined;
      readonly authorities?: string | undefined;
    }
  /** A container whose sidecar has the store, and the credentials: nothing may be fetched or saved here. */
  | { readonly type: 'none' };

/** An S3 server and keys to it. */
export interface S3Access {
  /** Origin: `http://127.0.0.1:9000`. */
  readonly endpoint: string;
  readonly region: string;
  readonly accessKey: Secret;
  readonly secretKey: Secret;
  readonly sessionToken: Secret | undefined;
  /** Where renewed keys come from; undefined: these are good for ever. */
  readonly renewal?: Renewal | undefined;
  /** A file of certificates: authorities to believe besides those that Node knows. */
  readonly authorities?: string | undefined;
}

export interface Buckets {
  readonly code: string;
  readonly state: string;
  readonly logs: string;
  readonly results: string;
}

/** Everything that opening a store takes. */
export interface StoresConfig {
  readonly store: StoreConfig;
  readonly buckets: Buckets;
  /** How long a call is retried unless it says otherwise, milliseconds. */
  readonly startTimeoutMs: number;
  /** Whoever uploads code creates the code bucket too; for all others a missing one is a mistake. */
  readonly createCodeBucket?: boolean;
}
