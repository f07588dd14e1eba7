import { readRegularFile } from '../../base/readRegularFile.ts';
import { replaceFile } from '../../base/replaceFile.ts';
import { RESERVED_PREFIX } from './entryPath.ts';

/** Lies in the code path and says what the runtime has put there. */
export const CODE_MARKER = `${RESERVED_PREFIX}json`;
const MAX_BYTES = 16 * 1024 * 1024;

export interface CodeMarker {
  readonly version: 1;
  /** False while entries are being moved into place, and after a crash there. */
  readonly complete: boolean;
  /** Hex SHA-256 of the archive. */
  readonly sha256: string;
  /** What is the runtime's at the top of the code path: the next unpack replaces it. */
  readonly names: readonly string[];
}

/**
 * The marker in `codePath`; undefined when there is none. The bot may have written it: it can only name what lies
 * directly in the code path, which is the bot's anyway, and never says that code may be run without pulling it.
 */
export function readCodeMarker(codePath: string): CodeMarker | undefined {
  const text = readRegularFile(`${codePath}/${CODE_MARKER}`, MAX_BYTES);
  if (text === undefined) return undefined;
  try {
    const { complete, sha256, names }: Record<string, unknown> = JSON.parse(text) ?? {};
    if (typeof sha256 !== 'string' || !Array.isArray(names)) return undefined;
    return { version: 1, complete: complete === true, sha256, names: names.filter(isTopLevelName) };
  } catch {
    return undefined;
  }
}

/** Atomic: readers see the old marker or the new. `stage` is a directory on the same file system. */
export function writeCodeMarker(codePath: string, stage: string, marker: CodeMarker): void {
  const temporary = `${stage}/marker`;
  replaceFile(`${codePath}/${CODE_MARKER}`, `${JSON.stringify(marker)}\n`, { mode: 0o644, temporary });
}

function isTopLevelName(name: unknown): name is string {
  return typeof name === 'string' && /^[^/\0]+$/.test(name) && name !== '.' && name !== '..';
}
