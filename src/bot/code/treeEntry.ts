/** One thing in an unpacked tree. Paths are as `entryPath` makes them. */
export type TreeEntry =
  | { readonly type: 'directory'; readonly path: string }
  | {
      readonly type: 'file';
      readonly path: string;
      /** Bytes. */
      readonly size: number;
      readonly executable: boolean;
      /** Seconds since the epoch; undefined: the archive does not say it exactly. */
      readonly mtime: number | undefined;
    }
  | { readonly type: 'symlink'; readonly path: string; readonly target: string };

export interface FileOptions {
  readonly executable: boolean;
  readonly mtime?: number | undefined;
}
