import { readFileSync, statSync } from 'node:fs';
import { asRuntimeError, RuntimeError } from '../../../base/errors.ts';
import type { Logger } from '../../../base/log.ts';
import { type Policy, type Rules, usualRules } from './policy.ts';
import { readPolicy } from './readPolicy.ts';

const MOST_BYTES = 2 ** 20;
/** A change is told of within as much, also where nobody asks for anything. */
const LOOK_MS = 2000;

/**
 * The policy in the file at `path` as it is now: a change counts from the next request on. One that cannot be used is told, once, and
 * what was in force before stays. Undefined: the usual rules. Throws `config` where it cannot be used at the start. It is followed until
 * `signal` is aborted.
 */
export function followPolicy(path: string | undefined, log: Logger, signal?: AbortSignal): Policy {
  if (path === undefined) return { rulesOf: () => usualRules };
  let seen = versionOf(path);
  let current = loadPolicy(path);
  const look = () => {
    const now = versionOf(path);
    if (now === seen) return;
    seen = now;
    try {
      current = loadPolicy(path);
      log.info('the policy has changed', { path });
    } catch (error) {
      const { message, problems } = asRuntimeError(error);
      log.error(`${message}; the one before stays in force`, { problems: problems.join('; ') });
    }
  };
  if (signal) {
    const looking = setInterval(look, LOOK_MS).unref();
    signal.addEventListener('abort', () => clearInterval(looking), { once: true });
  }
  return {
    rulesOf: (key): Rules => {
      look();
      return current.rulesOf(key);
    },
  };
}

/** Throws `config` with everything that is wrong with it. */
export function loadPolicy(path: string): Policy {
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
