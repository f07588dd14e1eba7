import { readFileSync } from 'node:fs';
import type { Clock } from '../../base/clock.ts';
import type { Secret } from '../../base/secret.ts';
import { openSealedKeys } from './sealedKeys.ts';

export interface StoreKeys {
  readonly accessKey: Secret;
  readonly secretKey: Secret;
  readonly sessionToken: Secret | undefined;
}

/** Where keys are that somebody else renews: a file of sealed ones, or what reads them again (undefined: they cannot be read just now). */
export type Renewal = SealedRenewal | (() => StoreKeys | undefined);

export interface SealedRenewal {
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

/** The keys of a configuration; with a renewal, what is there now, looked at once per minute and when the store refuses. */
export function keySource(
  { renewal, ...given }: StoreKeys & { readonly renewal?: Renewal | undefined },
  clock: Clock,
): KeySource {
  if (!renewal) return { current: () => given, refused: () => false };
  let keys: StoreKeys = given;
  let lookedAt = clock.elapsed();

  /** What cannot be read leaves the keys as they are: they may still be good, and else the store says so. */
  const look = (): boolean => {
    lookedAt = clock.elapsed();
    const found = typeof renewal === 'function' ? renewal() : readSealedKeys(renewal);
    if (!found || isSame(found, keys)) return false;
    keys = found;
    return true;
  };
  return {
    current() {
      if (clock.elapsed() - lookedAt >= LOOK_EVERY_MS) look();
      return keys;
    },
    refused: look,
  };
}

function isSame(a: StoreKeys, b: StoreKeys): boolean {
  return a.accessKey.reveal() === b.accessKey.reveal() && a.secretKey.reveal() === b.secretKey.reveal();
}

/** Undefined: no file, or nothing in it that the seal opens. */
export function readSealedKeys({ file, seal }: SealedRenewal): ReturnType<typeof openSealedKeys> {
  try {
    return openSealedKeys(readFileSync(file, 'latin1'), seal);
  } catch {
    return undefined;
  }
}
