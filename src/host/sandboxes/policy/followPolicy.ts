import { readFileSync, statSync } from 'node:fs';
import { asRuntimeError, RuntimeError } from '../../../base/errors.ts';
import type { Logger } from '../../../base/log.ts';
import { type Policy, type Rules, usualRules } from './policy.ts';
import { readPolicy } from './readPolicy.ts';

const MOST_BYTES = 2 ** 20;

/**
 * The policy in the file at `path` as it is now: a change counts from the next request on. One that cannot be used is told, once, and
 * what was in force before stays. Undefined: the usual rules. Throws `config` where it cannot be used at the start.
 */
export function followPolicy(path: string | undefined, log: Logger): Policy {
  if (path === undefined) return { rulesOf: () => usualRules };
  let seen = versionOf(path);
  let current = read(path);
  return {
    rulesOf: (key): Rules => {
      const now = versionOf(path);
      if (now !== seen) {
        seen = now;
        try {
          current = read(path);
        } catch (error) {
          const { message, problems } = asRuntimeError(error);
          log.error(`${message}; the one before stays in force`, { problems: problems.join('; ') });
        }
      }
      return current.rulesOf(key);
    },
  };
}

function read(path: string): Policy {
  let text: string;
  try {
    if (statSync(path).size > MOST_BYTES) throw new Error(`it is larger than ${MOST_BYTES} bytes`);
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new RuntimeError('config', `the policy ${path} cannot be read: ${(error as Error).message}`, {
      path,
    });
  }
  return readPolicy(text, path);
}

function versionOf(path: string): string {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? 'none' : `${found.ino} ${found.size} ${found.mtimeNs}`;
}
