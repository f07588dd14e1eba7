import type { Clock } from '../../../base/clock.ts';
import { asRuntimeError } from '../../../base/errors.ts';
import { growingWait } from '../../../base/growingWait.ts';
import type { Logger } from '../../../base/log.ts';
import { QUERY_PORT } from '../../../host/engine/queryPort.ts';
import type { Sandboxes } from '../../../host/sandboxes/sandboxes.ts';
import { callInside } from '../runtime/callInside.ts';
import { emit } from './emit.ts';
import type { EventLog } from './eventLog.ts';
import { newestOf } from './newestOf.ts';
import { type ParsedEvent, parseEvents } from './parseEvents.ts';
import { snapshotCreated } from './snapshotCreated.ts';
import type { NewEvent } from './storedEvent.ts';

export interface FollowOptions {
  readonly sandboxes: Sandboxes;
  readonly id: string;
  readonly stream: EventLog;
  readonly clock: Clock;
  readonly log: Logger;
  /** Aborted when it does not run any more. */
  readonly signal: AbortSignal;
}

const WAITS = { firstMs: 200, longestMs: 10_000 };
/** Whoever is inside may say as much as it likes; more than that a second waits. */
const MOST_PER_SECOND = 200;
/** Characters; a path is the longest that there is in one. */
const MOST_EVENT = 128 * 1024;

/** Brings to a sandbox's stream what its container tells of it (`/_runtime/events`): files and snapshots. `_inside`: the number that it has there. */
export async function followInside({
  sandboxes,
  id,
  stream,
  clock,
  log,
  signal,
}: FollowOptions): Promise<void> {
  const before = newestOf(stream, '"_inside":', ({ data }) => data._inside !== undefined)?.data;
  let last = Number(before?._inside ?? 0);
  let lastAt = Number(before?.timestamp ?? 0);
  let second = 0;
  let count = 0;
  for (let failures = 0; !signal.aborted; failures += 1) {
    try {
      // A container that was started since knows nothing of it, and nothing has happened in it before its beginning.
      const isAnew = last > 0 && lastAt < (sandboxes.find(id)?.startedAt ?? 0);
      const headers = last === 0 || isAnew ? {} : { 'last-event-id': String(last) };
      let mustBegin = isAnew;
      const call = {
        id,
        port: QUERY_PORT,
        method: 'GET' as const,
        path: '/_runtime/events',
        token: undefined,
        headers,
      };
      const answer = await callInside(sandboxes, call, signal);
      for await (const event of parseEvents(answer as AsyncIterable<Buffer>, MOST_EVENT)) {
        if (event.type === 'missed')
          emit(stream, log, { type: 'gap', data: { reason: 'inside', lost: event.data.count } });
        if (event.id === undefined || event.id <= last) continue;
        // So much has happened in it by now that its beginning is not kept any more.
        if (mustBegin && event.type !== 'start')
          emit(stream, log, { type: 'gap', data: { reason: 'inside', lost: null } });
        mustBegin = false;
        last = event.id;
        lastAt = clock.now();
        const told = ofSandbox(id, event);
        if (told === undefined) continue;
        const now = Math.floor(clock.now() / 1000);
        count = now === second ? count + 1 : 1;
        second = now;
        if (count > MOST_PER_SECOND) await clock.sleep(1000, signal);
        emit(stream, log, told);
        failures = 0;
      }
    } catch (error) {
      if (signal.aborted) return;
      log.debug(`events of sandbox ${id}: ${asRuntimeError(error).message}`);
    }
    await clock.sleep(growingWait(WAITS, failures + 1), signal).catch(() => undefined);
  }
}

function ofSandbox(sandboxId: string, { id, type, data }: ParsedEvent): NewEvent | undefined {
  const said = (data.data ?? {}) as Record<string, unknown>;
  const own = { sandboxId, _inside: id };
  switch (type) {
    case 'file.changed':
      return { type, data: { ...said, ...own } };
    case 'snapshot.published': {
      const created = snapshotCreated(sandboxId, said);
      return { ...created, data: { ...created.data, ...own } };
    }
    case 'error':
      return { type: 'warning', data: { message: said.message, ...own } };
    default:
      return undefined;
  }
}
