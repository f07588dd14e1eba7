import { createHmac, randomBytes } from 'node:crypto';
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RuntimeError, systemCode } from '../../base/errors.ts';
import { makeFolders } from '../../base/makeFolders.ts';
import { Secret } from '../../base/secret.ts';
import { SEAL_BYTES } from '../../store/s3/sealedKeys.ts';

/** What an instance may do with the store: all that its bot may, or read it and leave an answer. */
export type Scope = 'bot' | 'query';

export interface Seals {
  /** The same for ever: an instance that outlives its host goes on opening what the next one seals. */
  of(bot: string, scope: Scope): Secret;
}

/** All seals are made of one secret, which only root reads; it is made when the folder has none. */
export function openSeals(folder: string): Seals {
  makeFolders(folder, 0o711);
  const file = join(folder, 'secret');
  return sealsOf(readSecret(file) ?? makeSecret(file));
}

export function sealsOf(secret: Buffer): Seals {
  return {
    of: (bot, scope) =>
      new Secret(createHmac('sha256', secret).update(`${scope}:${bot}`).digest('base64url')),
  };
}

function readSecret(file: string): Buffer | undefined {
  let secret: Buffer;
  try {
    secret = readFileSync(file);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  if (secret.length === SEAL_BYTES) return secret;
  throw new RuntimeError('damaged', `${file} has ${secret.length} bytes, expected ${SEAL_BYTES}`, {
    hint: 'Remove it: a new one is made, and every bot is started again once its keys expire.',
  });
}

function makeSecret(file: string): Buffer {
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, randomBytes(SEAL_BYTES), { mode: 0o600, flush: true });
  try {
    // Whole or not at all, and never over one that is there.
    linkSync(temporary, file);
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
  const secret = readSecret(file);
  if (secret) return secret;
  throw new RuntimeError('internal', `${file} was made, and is not there`);
}
