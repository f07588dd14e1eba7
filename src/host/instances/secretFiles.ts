import { chownSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { RuntimeError } from '../../base/errors.ts';
import { makeFolders } from '../../base/makeFolders.ts';
import { replaceFile } from '../../base/replaceFile.ts';
import type { BotSpec } from '../bots/botSpec.ts';
import type { BotFolders } from '../data/folders.ts';

const MAX_BYTES = 1024 * 1024;

/**
 * Copies a bot's secrets from the host's folder, readable by the bot's user alone. `config` when one is missing: nothing runs
 * without what it was given.
 */
export function placeSecrets(
  spec: BotSpec,
  from: string,
  folders: BotFolders,
  user: { readonly uid: number; readonly gid: number },
): void {
  makeFolders(folders.secrets, 0o711);
  for (const name of spec.secrets) {
    const target = join(folders.secrets, name);
    replaceFile(target, readSecret(join(from, name)), { mode: 0o400 });
    chownSync(target, user.uid, user.gid);
  }
}

/** One secret of the host's folder. `config` when it is missing. */
function readSecret(path: string): string {
  try {
    if (statSync(path).size > MAX_BYTES) throw new Error(`it has more than ${MAX_BYTES} bytes`);
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new RuntimeError('config', `the secret ${path} cannot be read: ${(error as Error).message}`, {
      op: 'host.secrets',
      path,
      hint: "Put it into the host's folder of secrets, or take it out of the bot's.",
      cause: error,
    });
  }
}
