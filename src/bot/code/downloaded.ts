import type { ArchiveSource } from './archiveSource.ts';

/** An archive that is there, or on its way. */
export interface Downloaded {
  readonly source: ArchiveSource;
  /** Of the whole archive, once all of it is there. */
  readonly sha256: Promise<string>;
  readonly etag: string;
  /** Nothing uses the source, or is written of it, any more when this resolves. */
  close(): Promise<void>;
}
