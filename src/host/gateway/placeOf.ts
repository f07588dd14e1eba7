import { QueryError } from '../../bot/answers/queryError.ts';
import type { HostApi } from '../api/hostApi.ts';
import type { Place } from './workers/place.ts';
import type { Workers } from './workers/workers.ts';

/**
 * A realtime bot that runs is asked in place; every other by a container of its own that takes no generation and saves nothing.
 * Throws `QueryError` 404 for what cannot be asked, 503 where that is not known yet, and what `Workers.place` throws.
 */
export async function placeOf(
  api: HostApi,
  workers: Workers,
  bot: string,
  signal: AbortSignal,
): Promise<Place> {
  const view = api.bot(bot);
  // A bot that nobody has told of yet is not one that is gone: the0's clients would take a 404 for that.
  if (view?.spec === undefined && api.status().source.listedAt === undefined) {
    throw new QueryError(503, 'unavailable', 'the source of bots has not answered yet', {
      'retry-after': '1',
    });
  }
  if (view === undefined) throw new QueryError(404, 'invalid', `bot not found: ${bot}`);
  const { spec } = view;
  if (spec === undefined) {
    throw new QueryError(404, 'invalid', `bot ${bot} does not have entrypoints configured`);
  }
  if (spec.entrypoints.query === undefined) {
    throw new QueryError(404, 'invalid', `bot ${bot} does not have a query entrypoint`);
  }
  const address = api.queryAddress(bot);
  if (address !== undefined) return { kind: 'bot', address, release: () => undefined };
  return await workers.place(spec, signal);
}
