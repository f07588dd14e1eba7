import { asRuntimeError } from '../../base/errors.ts';
import type { Config } from '../../bot/config/config.ts';
import type { Kind } from '../../bot/kinds/kind.ts';
import type { Stores } from '../../store/openStores.ts';

/** What one check found. `warn`: a start works, with less than could be. */
export interface Finding {
  readonly check: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly message: string;
  readonly hint?: string | undefined;
  /** Of a failed check: the code that the start would have had. */
  readonly exit?: number;
}

/** What is looked at. */
export interface Patient {
  readonly config: Config;
  readonly kind: Kind;
  /** The environment that the configuration was read from. */
  readonly env: Readonly<Record<string, string>>;
  /** Stores that do not retry. */
  readonly stores: Stores;
  readonly uid: number;
  readonly now: () => number;
}

/** One family of checks; throws only for what is wrong with the whole family. */
export interface Check {
  readonly name: string;
  run(patient: Patient): Promise<readonly Finding[]>;
}

export function ok(check: string, message: string): Finding {
  return { check, status: 'ok', message };
}

export function warn(check: string, message: string, hint?: string): Finding {
  return { check, status: 'warn', message, hint };
}

/** A start would end with this error. */
export function fail(check: string, thrown: unknown): Finding {
  const { message, problems, hint, exitCode } = asRuntimeError(thrown);
  return {
    check,
    status: 'fail',
    message: [message.replace(/:$/, ''), ...problems].join('; '),
    hint,
    exit: exitCode,
  };
}
