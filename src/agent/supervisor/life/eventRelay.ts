import type { EventSink, RuntimeEvent } from '../../../bot/events/event.ts';
import type { NumberedEvent } from '../../../bot/events/eventBuffer.ts';

/** Events kept for a query server that starts later or again. */
const KEPT = 256;

/** Every event of the container passes here, on its way from supervisor and daemon to the query server. */
export interface EventRelay {
  readonly emit: EventSink;
  /** Takes an event that another process has made. */
  forward(event: RuntimeEvent): void;
  recent(): readonly NumberedEvent[];
  /** One listener: the link to the query server. */
  listen(listener: (numbered: NumberedEvent) => void): void;
}

export function createEventRelay(now: () => number): EventRelay {
  const kept: NumberedEvent[] = [];
  let listener: (numbered: NumberedEvent) => void = () => undefined;
  // Ids increase over restarts of the container, too, where there is less than one event per millisecond.
  let id = now();
  const forward = (event: RuntimeEvent) => {
    id += 1;
    const numbered = { id, event };
    kept.push(numbered);
    if (kept.length > KEPT) kept.shift();
    listener(numbered);
  };
  return {
    forward,
    emit: (type, data) => forward({ type, at: new Date(now()).toISOString(), data }),
    recent: () => [...kept],
    listen: (to) => {
      listener = to;
    },
  };
}
