import { chmodSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolders } from '../../base/makeFolders.ts';
import { replaceFile } from '../../base/replaceFile.ts';
import type { Secret } from '../../base/secret.ts';
import { openSealedKeys, sealKeys, type TimedKeys } from '../../store/s3/sealedKeys.ts';
import type { Scope } from './seals.ts';

/** A bot's folder of sealed keys, mounted into its instances: whoever reads the file gets what its seal opens. */
export interface KeysFile {
  /** Path of the folder. */
  readonly folder: string;
  read(scope: Scope): TimedKeys | undefined;
  /** Replaces the keys of one scope; readers see the old file or the new. */
  write(scope: Scope, keys: TimedKeys): void;
  remove(): void;
}

export const KEYS_NAME = 'keys';
const scopes: readonly Scope[] = ['bot', 'query'];

export function keysFile(folder: string, seal: (scope: Scope) => Secret): KeysFile {
  const file = join(folder, KEYS_NAME);
  const text = () => {
    try {
      return readFileSync(file, 'latin1');
    } catch {
      return '';
    }
  };
  return {
    folder,
    read: (scope) => openSealedKeys(text(), seal(scope)),
    write(scope, keys) {
      const old = text();
      const lines = scopes.flatMap((other) => {
        const kept = other === scope ? keys : openSealedKeys(old, seal(other));
        return kept ? [sealKeys(kept, seal(other))] : [];
      });
      makeFolders(folder);
      // Every user of the container may read it; it says nothing to whom the seal is closed.
      replaceFile(file, `${lines.join('\n')}\n`, { mode: 0o644 });
      // Whatever our own umask is.
      chmodSync(file, 0o644);
      chmodSync(folder, 0o755);
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
