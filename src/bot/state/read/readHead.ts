import { isRuntimeError } from '../../../base/errors.ts';
import { getBytes } from '../../../store/readAll.ts';
import type { StateContext } from '../format/context.ts';
import { HEAD_LIMIT_BYTES, keys } from '../format/format.ts';
import { type Head, parseHead } from '../format/head.ts';
import { lookAgain } from './lookAgain.ts';

export interface StoredHead {
  readonly head: Head;
  readonly etag: string;
}

/** The bot's head, or undefined when the store says that there is none; any other failure is thrown. */
export async function readHead(context: StateContext, signal: AbortSignal): Promise<StoredHead | undefined> {
  return await lookAgain(context, () => readHeadOnce(context, signal), signal);
}

/** The same, where whoever asks reads it again by itself. */
export async function readHeadOnce(
  context: StateContext,
  signal: AbortSignal,
): Promise<StoredHead | undefined> {
  const { store, bot } = context;
  try {
    const { bytes, etag } = await getBytes(store, keys.head(bot), { maxBytes: HEAD_LIMIT_BYTES, signal });
    return { head: parseHead(bytes.toString('utf8'), bot), etag };
  } catch (error) {
    if (isRuntimeError(error, 'not-found')) return undefined;
    throw error;
  }
}
