import type { StateContext } from '../format/context.ts';
import { firstStart } from './firstStart.ts';
import { lookAgain } from './lookAgain.ts';
import { readHeadOnce, type StoredHead } from './readHead.ts';

export interface FoundHead {
  /** Undefined: nothing in this format was ever saved. */
  readonly stored: StoredHead | undefined;
  /** There is a state in the older format alone. */
  readonly legacy: boolean;
}

/**
 * The head of a bot, or what the store has of one without. Throws `damaged` where the head cannot be used, or is gone beside what it
 * should name, also when it is read again.
 */
export async function findHead(context: StateContext, signal: AbortSignal): Promise<FoundHead> {
  const look = async (): Promise<FoundHead> => {
    const stored = await readHeadOnce(context, signal);
    return stored ? { stored, legacy: false } : { stored, ...(await firstStart(context, signal)) };
  };
  return await lookAgain(context, look, signal);
}
