import { asRuntimeError, isRuntimeError, RuntimeError } from '../../../base/errors.ts';
import type { StateContext } from '../format/context.ts';
import { NEWER_FORMAT } from '../format/head.ts';
import { LIMIT } from '../format/limits.ts';

/** Before each further look, milliseconds: whatever answered wrongly is given a moment. */
const PAUSES_MS = [100, 400];

/**
 * Reads what is damaged again. One wrong answer, of a proxy or of a node of the store that is behind, is no damage: taken for it, a bot
 * would start from an older snapshot, and save that. Damaged is what each look finds damaged. `look` begins anew each time; `isWrong` says
 * of what it throws whether a wrong answer may be behind it.
 */
export async function lookAgain<T>(
  { clock, warn }: Pick<StateContext, 'clock' | 'warn'>,
  look: () => Promise<T>,
  signal: AbortSignal,
  isWrong: (error: unknown) => boolean = isDamage,
  op?: typeof LOOKED_AT,
): Promise<T> {
  let reason: string | undefined;
  for (let looks = 0; ; looks++) {
    try {
      const found = await look();
      if (reason !== undefined)
        warn('the store answered wrongly at first, and rightly when it was asked again', { reason });
      return found;
    } catch (error) {
      const pauseMs = PAUSES_MS[looks];
      if (!isWrong(error)) throw error;
      if (pauseMs === undefined)
        throw isRuntimeError(error, 'conflict') ? neverTheSame(error) : eachTime(error, looks + 1, op);
      reason ??= asRuntimeError(error).message;
      await clock.sleep(pauseMs, signal);
    }
  }
}

/** Neither damaged nor whole: nothing is known of it. */
function neverTheSame(error: RuntimeError): RuntimeError {
  return new RuntimeError(
    'unavailable',
    `the store gives something else each time it is asked: ${error.message}`,
    {
      ...(error.path === undefined ? {} : { path: error.path }),
      retryable: true,
      cause: error,
    },
  );
}

/** Says that it was no single answer: whoever reads it need not look again. */
function eachTime(error: unknown, looks: number, lookedAt: string | undefined): RuntimeError {
  const told = asRuntimeError(error);
  const { code, message, path, hint, problems } = told;
  const op = lookedAt ?? told.op;
  return new RuntimeError(code, `${message} (the store was asked ${looks} times)`, {
    ...(op === undefined ? {} : { op }),
    ...(path === undefined ? {} : { path }),
    ...(hint === undefined ? {} : { hint }),
    problems,
    cause: told.cause,
  });
}

/** `op` of the error for one part of a snapshot: whoever reads the whole need not look again for it. */
export const LOOKED_AT = 'state.lookedAt';

const SETTLED: ReadonlySet<string> = new Set([NEWER_FORMAT, LIMIT, LOOKED_AT]);

/** Not what is whole and refused for something else. A conflict: of an object that broke off, the rest is another's. */
function isDamage(error: unknown): boolean {
  return isRuntimeError(error, 'damaged', 'conflict') && !SETTLED.has(error.op ?? '');
}
