import { timingSafeEqual } from 'node:crypto';
import { statSync } from 'node:fs';
import { asRuntimeError } from '../../../base/errors.ts';
import type { Logger } from '../../../base/log.ts';
import type { Secret } from '../../../base/secret.ts';
import { digest, type Keys } from './access.ts';
import { type Caller, SCOPES } from './caller.ts';
import { type KeptKey, MAIN_KEY, readKeyFile } from './keyFile.ts';

export interface OpenKeys {
  readonly path: string;
  /** RUNTIME_SERVE_KEY, which may do everything. */
  readonly main: Secret | undefined;
  readonly now: () => number;
  readonly log: Logger;
}

/**
 * The keys in the file as it is now: one that is added or removed counts from the next call on. A file that cannot be read is told,
 * once, and leaves those that were in force.
 */
export function openKeys({ path, main, now, log }: OpenKeys): Keys & { readonly count: () => number } {
  let seen = versionOf(path);
  let kept = readKeyFile(path);
  const mainDigest = main === undefined ? undefined : digest(main.reveal());
  const mainCaller: Caller = { name: MAIN_KEY, scopes: new Set(SCOPES) };

  function current(): readonly KeptKey[] {
    const version = versionOf(path);
    if (version !== seen) {
      seen = version;
      try {
        kept = readKeyFile(path);
      } catch (error) {
        log.error(`${asRuntimeError(error).message}; those before stay in force`);
      }
    }
    return kept.filter(({ expiresAt }) => expiresAt === undefined || expiresAt > now());
  }

  return {
    count: () => current().length + (main === undefined ? 0 : 1),
    byToken: (token) => {
      const given = digest(token);
      let found: Caller | undefined;
      // All of them, whichever it is: comparing takes one time.
      for (const key of current())
        if (timingSafeEqual(given, Buffer.from(key.sha256, 'hex'))) found = callerOf(key);
      if (mainDigest !== undefined && timingSafeEqual(given, mainDigest)) found = mainCaller;
      return found;
    },
    byName: (name) => {
      if (name === MAIN_KEY) return main === undefined ? undefined : mainCaller;
      const found = current().find((key) => key.name === name);
      return found && callerOf(found);
    },
  };
}

const callerOf = ({ name, scopes }: KeptKey): Caller => ({ name, scopes: new Set(scopes) });

function versionOf(path: string): string {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? 'none' : `${found.ino} ${found.size} ${found.mtimeNs}`;
}
