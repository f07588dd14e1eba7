import type { Server } from 'node:http';
import type { Clock } from '../../../base/clock.ts';
import { isRuntimeError } from '../../../base/errors.ts';
import type { Logger } from '../../../base/log.ts';
import { listen } from '../../../bot/answers/listen.ts';

/** Between two tries, milliseconds. */
const POLL_MS = 500;

/** As `listen`, but a port that somebody has is waited for, after one warning. Rejects when aborted. */
export async function listenWhenFree(
  server: Server,
  port: number,
  { clock, log, signal }: { readonly clock: Clock; readonly log: Logger; readonly signal: AbortSignal },
): Promise<number> {
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await listen(server, port);
    } catch (error) {
      if (!isRuntimeError(error, 'unavailable')) throw error;
      if (isFirst) log.warn(`${error.message}: queries are answered as soon as that works`);
    }
    await clock.sleep(POLL_MS, signal);
  }
}
