/** A file, or a block of one that is there already and is finished by the first thread. */
export interface FileJob {
  /** One character per byte. */
  readonly path: string;
  readonly fileSize: number;
  /** Bytes before the block. */
  readonly start: number;
  /** Of a file of one block: what it gets when it is written. */
  readonly whole: { readonly mode: number; readonly mtime: string } | undefined;
}
