import { RuntimeError } from '../../../base/errors.ts';
import { openSegmentFiles, type Segment, type SegmentLimits } from './segmentFiles.ts';
import { encodeFrame, type Frame, type NewEvent, type StoredEvent } from './storedEvent.ts';

export interface LogLimits extends SegmentLimits {
  /** Of frames in memory: those who keep up read nothing from the disk. */
  readonly ringBytes: number;
}

/** 32 MiB of each stream: more than any one turn of an agent may say. */
export const USUAL_LIMITS: LogLimits = { segmentBytes: 2 * 2 ** 20, segments: 16, ringBytes: 32 * 1024 };

/** A longer event is refused: clients refuse it as well. */
const MOST_EVENT_BYTES = 64 * 1024;

/** One stream: what happens, under growing numbers, on the disk before anybody is told. Readers hold nothing here (`readLog`). */
export interface EventLog {
  /** 0: nothing has happened yet. */
  readonly lastId: number;
  /** The oldest that is still on the disk; `lastId + 1` where none is. */
  readonly oldestId: number;
  /** The newest ones, oldest first. */
  readonly ring: readonly Frame[];
  /** The newest events on the disk, oldest first: what a writer goes on from. */
  newest(): readonly StoredEvent[];
  /** Why the last append has failed; undefined: it has not. */
  readonly trouble: string | undefined;
  segments(): readonly Segment[];
  /** All of them, or none and it throws `unavailable`. */
  append(events: readonly NewEvent[]): void;
  /** So many could not be kept and will not be: whoever reads is told with the next that is. */
  missed(count: number): void;
  /** Resolves at the next append, or when aborted. */
  changed(signal: AbortSignal): Promise<void>;
}

/** `after`: a stream that has nothing on the disk begins behind this number. `written`: see `openSegmentFiles`. */
export function openEventLog(
  folder: string,
  now: () => number,
  limits: LogLimits = USUAL_LIMITS,
  { after = 0, written }: { readonly after?: number; readonly written?: (path: string) => void } = {},
): EventLog {
  const files = openSegmentFiles(folder, limits, written);
  const ring: Frame[] = [];
  const waiting = new Set<() => void>();
  let ringBytes = 0;
  let lastId = files.lastId || after;
  let lost = 0;
  let trouble: string | undefined;

  const remember = (event: StoredEvent) => {
    const text = encodeFrame(event);
    ring.push({ id: event.id, text });
    ringBytes += text.length;
    while (ringBytes > limits.ringBytes && ring.length > 1) ringBytes -= ring.shift()!.text.length;
  };

  return {
    ring,
    newest: files.newest,
    segments: files.list,
    get trouble() {
      return trouble;
    },
    get lastId() {
      return lastId;
    },
    get oldestId() {
      return files.list()[0]?.first ?? lastId + 1;
    },
    append: (events) => {
      const timestamp = now();
      const told = lost === 0 ? events : [{ type: 'gap', data: { reason: 'disk', lost } }, ...events];
      const stored = told.map(({ type, data }, at) => ({
        id: lastId + 1 + at,
        type,
        data: { ...data, timestamp },
      }));
      const lines = stored.map((event) => `${JSON.stringify(event)}\n`);
      if (lines.some((line) => line.length > MOST_EVENT_BYTES))
        throw new RuntimeError('usage', `an event of more than ${MOST_EVENT_BYTES} bytes`);
      try {
        files.append(Buffer.from(lines.join('')), lastId + 1);
      } catch (error) {
        trouble = (error as Error).message;
        throw new RuntimeError('unavailable', `events cannot be kept: ${(error as Error).message}`, {
          op: 'events.append',
          path: folder,
          cause: error,
        });
      }
      lost = 0;
      trouble = undefined;
      lastId += stored.length;
      for (const event of stored) remember(event);
      const wake = [...waiting];
      waiting.clear();
      for (const go of wake) go();
    },
    missed: (count) => {
      lost += count;
    },
    changed: (signal) =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve();
        const go = () => {
          signal.removeEventListener('abort', go);
          waiting.delete(go);
          resolve();
        };
        waiting.add(go);
        signal.addEventListener('abort', go, { once: true });
      }),
  };
}
