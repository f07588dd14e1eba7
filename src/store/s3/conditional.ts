import { isRuntimeError } from '../../base/errors.ts';
import { isNotImplemented } from './s3Errors.ts';

/** Runs a write, with its conditions or without them. */
export type Conditional = <T>(write: (conditions: boolean) => Promise<T>) => Promise<T>;

/**
 * Some gateways refuse a write because it has conditions at all (501), where others ignore them. To such a one writes go without, and
 * the probe of the state's publisher then finds a store that ignores them. A store that has ever honoured one is not believed when it
 * says so: dropping the conditions would let two instances write.
 */
export function createConditional(): Conditional {
  let known: 'honoured' | 'refused' | undefined;
  return async (write) => {
    if (known === 'refused') return await write(false);
    try {
      return await write(true);
    } catch (error) {
      if (isRuntimeError(error, 'conflict') && !error.retryable) known = 'honoured';
      if (known === 'honoured' || !isNotImplemented(error)) throw error;
      known = 'refused';
      return await write(false);
    }
  };
}
