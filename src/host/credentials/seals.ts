import { createHmac, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { RuntimeError } from '../../base/errors.ts';
import { makeFolders } from '../../base/makeFolders.ts';
import { makeOnce } from '../../base/makeOnce.ts';
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
  const secret = makeOnce(file, () => randomBytes(SEAL_BYTES));
  if (secret.length === SEAL_BYTES) return sealsOf(secret);
  throw new RuntimeError('damaged', `${file} has ${secret.length} bytes, expected ${SEAL_BYTES}`, {
    hint: 'Remove it: a new one is made, and every bot is started again once its keys expire.',
  });
}

export function sealsOf(secret: Buffer): Seals {
  return {
    of: (bot, scope) =>
      new Secret(createHmac('sha256', secret).update(`${scope}:${bot}`).digest('base64url')),
  };
}
