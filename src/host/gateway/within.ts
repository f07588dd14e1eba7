import type { ServerResponse } from 'node:http';
import { QueryError } from '../../bot/answers/queryError.ts';

/**
 * Ends a query whose client has gone, or whose bot takes longer than `ms` milliseconds: the signal's reason is then a `QueryError`.
 * `answered` ends that limit: what the client takes of an answer has one of its own.
 */
export async function within<T>(
  response: ServerResponse,
  { bot, ms }: { readonly bot: string; readonly ms: number },
  query: (signal: AbortSignal, answered: () => void) => Promise<T>,
): Promise<T> {
  const ended = new AbortController();
  const late = setTimeout(
    () => ended.abort(new QueryError(504, 'timeout', `${bot} did not answer within ${ms} ms`)),
    ms,
  );
  const abandon = () => ended.abort(new QueryError(499, 'abandoned', 'the client has gone'));
  response.once('close', abandon);
  try {
    return await query(ended.signal, () => clearTimeout(late));
  } finally {
    clearTimeout(late);
    response.off('close', abandon);
  }
}
