import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ObjectStore } from '../../store/objectStore.ts';
import type { Uploads } from './uploads.ts';

/** One call of S3's, who makes it being known and what it asks for allowed. */
export interface Call {
  readonly bucket: string;
  /** Empty: the bucket itself. */
  readonly key: string;
  readonly query: URLSearchParams;
  readonly store: ObjectStore;
  readonly uploads: Uploads;
  /** The access key that it is signed with. */
  readonly holder: string;
  /** Before so many bytes are written to the key. Throws 507. */
  readonly admit: (bytes: number) => Promise<void>;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly signal: AbortSignal;
}

/** Without the quotes that HTTP has around it. */
export function tagOf(header: string | string[] | undefined): string | undefined {
  return header === undefined ? undefined : String(header).replace(/^"(.*)"$/, '$1');
}
