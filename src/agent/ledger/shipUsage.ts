import { createHash } from 'node:crypto';
import { isRuntimeError } from '../../base/errors.ts';
import { createDayObjects } from '../../bot/logs/ship/dayObject.ts';
import type { KnownObject, ShipIntent } from '../../bot/logs/ship/shipRecord.ts';
import { bringDay, bringDays, type Days, extendDay } from './days.ts';
import { forgetBefore, readJournal, readLines } from './journal.ts';
import { dayPath, type Intent, readShipped, type Shipped, writeShipped } from './shipped.ts';
import { dayOf, isDay, makeUsageFolder, usageKey } from './usageFolder.ts';

/** Brings the ledger's lines to the store, each once, and the lines of earlier containers from there. One shipper to a ledger. */
export interface UsageShipper {
  /** Ships what is there now. Throws what the store throws; what is not shipped then is by the next call, also by another process. */
  ship(signal?: AbortSignal): Promise<void>;
}

/** How much goes in one write, about. */
const BATCH_BYTES = 256 * 1024;
/** Each lost one is somebody else's write that was made; more than that in a row are something else. */
const MAX_ATTEMPTS = 20;

export function createUsageShipper(options: Days): UsageShipper {
  const { store, bot, dir } = options;
  makeUsageFolder(dir);
  const objects = createDayObjects(store);
  const recent = new Map<string, Set<string>>();
  let shipped: Shipped | undefined;
  let isBrought = false;
  let running: Promise<unknown> = Promise.resolve();

  const save = (next: Shipped): Shipped => {
    writeShipped(dir, next);
    shipped = next;
    return next;
  };

  /** The ids of a day that is here. */
  const idsOf = async (now: Shipped, day: string): Promise<Set<string>> => {
    const known = recent.get(day);
    if (known) return known;
    const ids = new Set<string>();
    const size = now.days[day]?.size ?? 0;
    for await (const { text } of readLines(dayPath(dir, day), 0, size)) ids.add(idOf(text) ?? '');
    // Of two days: a turn that was under way over midnight.
    if (recent.size > 2) recent.clear();
    recent.set(day, ids);
    return ids;
  };

  const commit = async (
    now: Shipped,
    { day, tail, offset }: Intent,
    object: KnownObject,
  ): Promise<Shipped> => {
    const before = now.days[day];
    const grown = object.size - Buffer.byteLength(tail);
    const { etag, size } = object;
    // Somebody else has written in between.
    const isWhole = grown === (before?.size ?? 0);
    const here = isWhole ? { etag, size } : await bringDay(options, day, object, undefined);
    if (isWhole) await extendDay(dir, day, grown, tail);
    for (const line of tail.split('\n')) recent.get(day)?.add(idOf(line) ?? '');
    const next = save({ version: 1, offset, days: { ...now.days, [day]: here } });
    await forgetBefore(dir, offset);
    return next;
  };

  const send = async (now: Shipped, first: Intent, signal: AbortSignal | undefined): Promise<Shipped> => {
    let intent = first;
    const key = usageKey(bot, intent.day);
    const tail = Buffer.from(intent.tail);
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await commit(now, intent, await objects.extend(key, intent.base, tail, { signal }));
      } catch (error) {
        if (!isRuntimeError(error, 'conflict', 'not-found') || attempt === MAX_ATTEMPTS) throw error;
        // Either we have written, and did not hear of it, or our lines go after theirs.
        const found = await objects.look(key, { signal });
        if (found && (await objects.holds(found, markOf(key, intent), { signal })))
          return await commit(now, intent, found);
        intent = { ...intent, base: found };
        save({ ...now, intent });
      }
    }
  };

  /** What one write takes: whole lines of one day, without those that are in the store already. Undefined: there is nothing. */
  const nextBatch = async (now: Shipped): Promise<Pick<Intent, 'day' | 'tail' | 'offset'> | undefined> => {
    const taken = new Set<string>();
    let day = '';
    let tail = '';
    let { offset } = now;
    for await (const { text, end } of readJournal(dir, now.offset)) {
      const line = read(text);
      if (line && day !== '' && (line.day !== day || tail.length > BATCH_BYTES)) break;
      offset = end;
      if (!line) continue;
      day = line.day;
      const known = [taken, await idsOf(now, day), await idsOf(now, dayBefore(day))];
      if (known.some((ids) => ids.has(line.id))) continue;
      taken.add(line.id);
      tail += `${text}\n`;
    }
    return offset === now.offset ? undefined : { day, tail, offset };
  };

  const ship = async (signal: AbortSignal | undefined) => {
    let now: Shipped = shipped ?? readShipped(dir) ?? { version: 1, offset: 0, days: {} };
    // A write whose end we have not heard of comes first: its lines are in the store, or are still to be sent.
    if (now.intent) now = await settle(now, now.intent, signal);
    if (!isBrought) {
      // Once for each process: another container may have written since, if this volume has waited.
      now = save({ ...now, days: await bringDays(options, now.days, signal) });
      isBrought = true;
    }
    for (;;) {
      signal?.throwIfAborted();
      const batch = await nextBatch(now);
      if (!batch) return;
      if (batch.tail === '') {
        now = save({ ...now, offset: batch.offset });
        continue;
      }
      const known = now.days[batch.day];
      const intent = { ...batch, base: known && { key: usageKey(bot, batch.day), ...known } };
      now = await send(save({ ...now, intent }), intent, signal);
    }
  };

  const settle = async (now: Shipped, intent: Intent, signal: AbortSignal | undefined): Promise<Shipped> => {
    const key = usageKey(bot, intent.day);
    const found = await objects.look(key, { signal });
    if (!found || !(await objects.holds(found, markOf(key, intent), { signal })))
      return await send(now, intent, signal);
    const days = { ...now.days, [intent.day]: await bringDay(options, intent.day, found, signal) };
    return save({ version: 1, offset: intent.offset, days });
  };

  return {
    ship: (signal) => {
      const next = running.then(() => ship(signal));
      running = next.catch(() => undefined);
      return next;
    },
  };
}

/** What tells whether a write was made. */
function markOf(key: string, { base, tail, offset }: Intent): ShipIntent {
  const bytes = Buffer.from(tail);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { key, base, size: bytes.length, sha256, position: { offset, lines: 0, open: {} } };
}

function read(text: string): { readonly id: string; readonly day: string } | undefined {
  try {
    const { requestId, at } = JSON.parse(text) as { requestId?: unknown; at?: unknown };
    const day = typeof at === 'string' ? dayOf(at) : '';
    return typeof requestId === 'string' && isDay(day) ? { id: requestId, day } : undefined;
  } catch {
    return undefined;
  }
}

export function idOf(text: string): string | undefined {
  return read(text)?.id;
}

function dayBefore(day: string): string {
  const at = Date.UTC(Number(day.slice(0, 4)), Number(day.slice(4, 6)) - 1, Number(day.slice(6)) - 1);
  return dayOf(new Date(at).toISOString());
}
