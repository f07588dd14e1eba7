import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

/** Who takes nothing for as long is cut: whoever comes back says what they have (`Last-Event-ID`). Milliseconds. */
const STALLED_MS = 10 * 60_000;

/** Sends server-sent events as fast as the reader takes them, and no faster. */
export async function sendEvents(
  response: ServerResponse,
  pieces: AsyncIterable<string | Buffer>,
  gone: AbortSignal,
): Promise<void> {
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    // Proxies in between would hold events back.
    'x-accel-buffering': 'no',
  });
  await sendPieces(response, pieces, gone);
}

/** The body of an answer whose head is out, piece by piece. */
export async function sendPieces(
  response: ServerResponse,
  pieces: AsyncIterable<string | Buffer>,
  gone: AbortSignal,
): Promise<void> {
  const late = setTimeout(() => response.destroy(), STALLED_MS);
  try {
    for await (const piece of pieces) {
      if (gone.aborted) return;
      late.refresh();
      if (!response.write(piece)) await once(response, 'drain', { signal: gone });
    }
    response.end();
  } catch (error) {
    if (!gone.aborted) throw error;
  } finally {
    clearTimeout(late);
  }
}

/** Where a reader was: by its header, or as browsers that cannot set one say it. 0: from the beginning. */
export function cursorOf(header: string | string[] | undefined, query: URLSearchParams): number {
  const id = Number(header ?? query.get('lastEventId') ?? query.get('since') ?? 0);
  return Number.isSafeInteger(id) && id > 0 ? id : 0;
}
