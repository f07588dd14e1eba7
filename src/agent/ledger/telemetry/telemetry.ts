import type { Clock } from '../../../base/clock.ts';
import { asRuntimeError, isRuntimeError } from '../../../base/errors.ts';
import { growingWait } from '../../../base/growingWait.ts';
import type { Logger } from '../../../base/log.ts';
import { readAll } from '../../../store/readAll.ts';
import type { Days } from '../days.ts';
import { journalEnd } from '../journal.ts';
import type { LedgerLine } from '../ledger.ts';
import { readShipped } from '../shipped.ts';
import {
  nothingTold,
  parsePosition,
  readPosition,
  type TelemetryPosition,
  writePosition,
} from './position.ts';
import { type Receiver, tell } from './tell.ts';
import { type TelemetryFormat, toldLine } from './toldLine.ts';
import { untold } from './untold.ts';

/** Of one request. */
const MAX_EVENTS = 100;
/** Between two looks: a turn is told of within ten seconds. */
const POLL_MS = 3000;
const BACKOFF = { firstMs: 1000, longestMs: 60_000 };
/** What nobody takes any more. */
const MAX_AGE_MS = 24 * 3600 * 1000;
/** So often the position goes to the store, where the next container finds it. */
const KEEP_MS = 60_000;
/** What is left at the end gets this long. */
const LAST_MS = 1000;
const MAX_POSITION = 64 * 1024;

export interface TelemetryOptions extends Days {
  readonly receiver: Receiver;
  readonly format: TelemetryFormat;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface Telemetry {
  /** Tells what is left, as far as that is possible at once. */
  close(): Promise<void>;
}

/** Tells a receiver of every turn, in order, until it has heard of it; where that ended is kept. */
export function startTelemetry(options: TelemetryOptions): Telemetry {
  const { dir, store, bot, clock, log, format, receiver } = options;
  const key = `usage/${bot}/telemetry.json`;
  const closing = new AbortController();
  const lines = untold(dir, clock.now);
  let position: TelemetryPosition | undefined;
  let keptAt = clock.elapsed();

  const load = async (signal: AbortSignal): Promise<TelemetryPosition> => {
    const here = readPosition(dir);
    if (here) return here;
    try {
      const stored = await store.get(key, { signal });
      return parsePosition((await readAll(stored, MAX_POSITION)).toString()) ?? nothingTold;
    } catch (error) {
      if (isRuntimeError(error, 'not-found')) return nothingTold;
      throw error;
    }
  };

  const move = (changes: Partial<TelemetryPosition>): TelemetryPosition => {
    position = { ...(position ?? nothingTold), ...changes };
    writePosition(dir, position);
    return position;
  };

  const keep = async (signal: AbortSignal) => {
    if (!position) return;
    keptAt = clock.elapsed();
    await store.put(key, Buffer.from(JSON.stringify({ ...position, trouble: undefined })), {
      contentType: 'application/json',
      signal,
    });
  };

  const done = (last: LedgerLine, changes: Partial<TelemetryPosition> = {}) =>
    move({ trouble: undefined, last: { requestId: last.requestId, at: last.at }, ...changes });

  /** False: not now. */
  const send = async (batch: readonly LedgerLine[], signal: AbortSignal): Promise<boolean> => {
    const told = await tell(
      receiver,
      batch.map((line) => toldLine(line, format)),
      signal,
    );
    const last = batch.at(-1) as LedgerLine;
    if (told.type === 'taken') done(last);
    else if (told.type === 'later') {
      if (position?.trouble === undefined) log.warn(`telemetry is held up: ${told.why}`);
      move({ trouble: told.why });
      return false;
    } else if (batch.length === 1) {
      log.error('a turn is refused by the receiver of telemetry and skipped', { turn: last.requestId });
      done(last, { rejected: (position?.rejected ?? 0) + 1 });
    } else {
      const half = Math.ceil(batch.length / 2);
      return (await send(batch.slice(0, half), signal)) && (await send(batch.slice(half), signal));
    }
    return true;
  };

  /** All that there is to tell. False: not now. */
  const round = async (signal: AbortSignal): Promise<boolean> => {
    position ??= await load(signal);
    for (;;) {
      const batch = await lines.next(position.last, MAX_EVENTS);
      const [first] = batch;
      if (!first) return true;
      const old = clock.now() - MAX_AGE_MS;
      const recent = batch.findIndex((line) => Date.parse(line.at) >= old);
      const tooOld = recent < 0 ? batch : batch.slice(0, recent);
      if (tooOld.length > 0) {
        log.warn('turns of more than 24 hours ago are skipped by telemetry', { turns: tooOld.length });
        position = done(tooOld.at(-1) as LedgerLine, { skipped: position.skipped + tooOld.length });
      } else if (!(await send(batch, signal))) return false;
    }
  };

  const run = async () => {
    const { signal } = closing;
    let failures = 0;
    let seen: number | undefined;
    while (!signal.aborted) {
      const end = journalEnd(dir);
      // Before the earlier containers' lines are here, their last one cannot be found.
      const isDue = (end !== seen || failures > 0 || !position) && readShipped(dir) !== undefined;
      try {
        if (isDue) {
          const isWell = await round(signal);
          failures = isWell ? 0 : failures + 1;
          if (isWell) seen = end;
        }
        if (isDue && clock.elapsed() - keptAt >= KEEP_MS) await keep(signal);
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        log.warn(`telemetry failed: ${asRuntimeError(error).message}`);
      }
      const wait = failures > 0 ? growingWait(BACKOFF, failures) : POLL_MS;
      await clock.sleep(wait, signal).catch(() => undefined);
    }
  };

  const running = run();
  return {
    close: async () => {
      closing.abort();
      await running;
      try {
        // Somebody waits for the end: a store or a receiver that is away does not hold it up.
        const signal = AbortSignal.timeout(LAST_MS);
        await round(signal);
        await keep(signal);
      } catch (error) {
        log.warn(`telemetry goes on with the next start: ${asRuntimeError(error).message}`);
      }
    },
  };
}
