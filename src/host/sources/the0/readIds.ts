import { RuntimeError } from '../../../base/errors.ts';
import { MongoClient } from '../../../base/parts/mongodb.ts';

const TIME_LIMIT_MS = 10_000;

/** The ids of all bots of both collections, enabled or not. Throws `unavailable` rather than leaving one out. */
export async function readIds(uri: string, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const client = new MongoClient(uri, {
    serverSelectionTimeoutMS: TIME_LIMIT_MS,
    socketTimeoutMS: TIME_LIMIT_MS,
  });
  try {
    const ids = new Set<string>();
    for (const [database, name] of [
      ['bot_runner', 'bots'],
      ['bot_scheduler', 'bot_schedules'],
    ] as const) {
      signal.throwIfAborted();
      const documents = await client
        .db(database)
        .collection(name)
        .find({}, { projection: { id: 1 } })
        .toArray();
      for (const { id } of documents) if (typeof id === 'string') ids.add(id);
    }
    return ids;
  } catch (error) {
    throw new RuntimeError('unavailable', `MongoDB does not answer: ${(error as Error).message}`, {
      op: 'gc.read',
      retryable: true,
      cause: error,
    });
  } finally {
    await client.close();
  }
}
