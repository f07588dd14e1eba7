import type { Clock } from '../../base/clock.ts';
import type { EventBuffer, NumberedEvent } from './eventBuffer.ts';

/**
 * The room of the events: what happens to a bot, for whoever listens on `/_runtime/events`.
 *
 *   event         the names, which are public, and the shape
 *   eventBuffer   keeps the last ones under growing numbers
 *   eventStream   one reader: what it has missed, then what happens, as server-sent events
 *
 * A reader that is slow misses events and is told how many. It never makes anybody wait.
 */

const HEARTBEAT_MS = 15_000;

/**
 * Server-sent events for one reader, as text. The reader pulls: as long as it does not ask for more, nothing piles
 * up for it. Everything kept comes first (`lastId` 0), or what followed `lastId`; then what happens, until aborted.
 */
export async function* eventStream(
  buffer: EventBuffer,
  lastId: number,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<string, void, void> {
  const nextBeat = () => clock.sleep(HEARTBEAT_MS, signal).then(() => 'beat' as const, stopped);
  const nextChange = () => buffer.changed(signal).then(() => 'change' as const);
  let beat = nextBeat();
  let change = nextChange();
  let last = lastId;
  // A comment first: the headers go out at once, also when there is no event yet.
  yield ': runtime events\n\n';
  while (!signal.aborted) {
    const backlog = buffer.after(last);
    last = backlog.last;
    if (backlog.missed !== 0) yield encodeMissed(backlog.missed);
    if (backlog.events.length > 0) yield backlog.events.map(encodeEvent).join('');
    const woken = await Promise.race([beat, change]);
    if (woken === 'change') change = nextChange();
    if (woken === 'beat') {
      beat = nextBeat();
      yield ': alive\n\n';
    }
  }
}

function stopped() {
  return 'stopped' as const;
}

/** JSON has no line breaks of its own, so one `data:` line holds it. */
function encodeEvent({ id, event }: NumberedEvent): string {
  return `id: ${id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

/** Without an id: a reader that reconnects still names the last event that it really saw. */
function encodeMissed(count: number | null): string {
  return `event: missed\ndata: ${JSON.stringify({ count })}\n\n`;
}

/** The header as a browser sends it back; any text that is not an id asks for everything kept. */
export function parseLastEventId(header: string | undefined): number {
  const id = Number(header ?? '0');
  return Number.isSafeInteger(id) && id >= 0 ? id : 0;
}
