import { readFileSync } from 'node:fs';
import type { Clock } from '../../base/clock.ts';
import type { Secret } from '../../base/secret.ts';
import { openSealedKeys } from './sealedKeys.ts';

export interface StoreKeys {
  readonly accessKey: Secret;
  readonly secretKey: Secret;
  readonly sessionToken: Secret | undefined;
}

/** Where keys are that somebody else renews. */
export interface Renewal {
  /** Path of a file with sealed keys. */
  readonly file: string;
  readonly seal: Secret;
}

export interface KeySource {
  current(): StoreKeys;
  /** The store has refused the current ones: whether there are others by now. */
  refused(): boolean;
}

/** Milliseconds. Renewed keys come hours before the old ones expire. */
const LOOK_EVERY_MS = 60_000;

/** The keys of a configuration; with a renewal, what the file holds, looked at once per minute and when the store refuses. */
export function keySource(
  { renewal, ...given }: StoreKeys & { readonly renewal?: Renewal | undefined },
  clock: Clock,
): KeySource {
  if (!renewal) return { current: () => given, refused: () => false };
  let keys: StoreKeys = given;
  let lookedAt = clock.now();

  /** What cannot be read leaves the keys as they are: they may still be good, and else the store says so. */
  const look = (): boolean => {
    lookedAt = clock.now();
    const found = readSealedKeys(renewal);
    if (!found || found.accessKey.reveal() === keys.accessKey.reveal()) return false;
    keys = found;
    return true;
  };
  return {
    current() {
      if (Math.abs(clock.now() - lookedAt) >= LOOK_EVERY_MS) look();
      return keys;
    },
    refused: look,
  };
}

/** Undefined: no file, or nothing in it that the seal opens. */
export function readSealedKeys({ file, seal }: Renewal): ReturnType<typeof openSealedKeys> {
  try {
    return openSealedKeys(readFileSync(file, 'latin1'), seal);
  } catch {
    return undefined;
  }
}
