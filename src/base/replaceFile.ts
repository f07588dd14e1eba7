import { renameSync, rmSync, writeFileSync } from 'node:fs';

export interface ReplaceFileOptions {
  readonly mode: number;
  /** Where the new file is written before it takes the name; on the same file system. Default: beside it. */
  readonly temporary?: string;
}

/**
 * Makes `text` all that is in the file at `path`: a reader, and we after a crash, see the old file or the new one. What lies
 * at either name, a link too, is replaced, and nothing is written through it.
 */
export function replaceFile(path: string, text: string, options: ReplaceFileOptions): void {
  const { mode, temporary = `${path}.new` } = options;
  rmSync(temporary, { force: true });
  writeFileSync(temporary, text, { flag: 'wx', mode });
  renameSync(temporary, path);
}
