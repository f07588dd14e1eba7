import { rmSync } from 'node:fs';
import { isRuntimeError, type RuntimeError } from '../../../base/errors.ts';
import type { LogFields } from '../../../base/log.ts';
import { makeFolders } from '../../../base/makeFolders.ts';
import { sha256 } from '../../../base/sha256.ts';
import type { ObjectStore } from '../../../store/objectStore.ts';
import { listSegments } from '../segment.ts';
import { createDayObjects } from './dayObject.ts';
import { neededFrom } from './position.ts';
import { type Batch, readBatch } from './readBatch.ts';
import { WRONG_SUM } from './readDay.ts';
import {
  type KnownObject,
  readShipRecord,
  type ShipIntent,
  type ShipRecord,
  unshippedBytes,
  writeShipRecord,
} from './shipRecord.ts';

export interface ShipperOptions {
  /** The logs bucket. */
  readonly store: ObjectStore;
  readonly bot: string;
  /** LOGS_PATH, where the supervisor captures to. */
  readonly dir: string;
  /** How much goes in one write, about; smaller in tests. */
  readonly batchBytes?: number;
  /** For one log line. */
  readonly warn?: ((message: string, fields: LogFields) => void) | undefined;
}

/** Brings the journal's lines to the store, each exactly once. One shipper to a journal. */
export interface Shipper {
  /**
   * Ships what is there now. `final`: until nothing is left, the bot has ended. Throws what the store throws; what is not
   * shipped then is by the next call, also by another process. Calls wait for each other.
   */
  ship(options?: { signal?: AbortSignal; final?: boolean }): Promise<ShipReport>;
  /** Bytes of the journal that are not in the store yet. */
  lag(): number;
}

export interface ShipReport {
  readonly lines: number;
  /** Of NDJSON. */
  readonly bytes: number;
}

/** Each lost one is somebody else's write that was made; more than that in a row are something else. */
const MAX_ATTEMPTS = 50;
const BATCH_BYTES = 8 * 1024 * 1024;
/** In so many calls the bytes of an object have to be wrong before the lines go on without them: what is on the way may be mended by then. */
const CALLS_BEFORE_ASIDE = 3;

/** Where a day's log is in the logs bucket. Contract, section 7. `day`: `20261121`. */
export function dayKey(bot: string, day: string): string {
  return `logs/${bot}/${day}.log`;
}

export function createShipper(options: ShipperOptions): Shipper {
  const { store, bot, dir, batchBytes = BATCH_BYTES, warn } = options;
  makeFolders(dir, 0o750);
  const objects = createDayObjects(store);
  let record: ShipRecord | undefined;
  let running: Promise<unknown> = Promise.resolve();

  const load = () => {
    record ??= readShipRecord(dir);
    return record;
  };

  const save = (next: ShipRecord) => {
    record = next;
    writeShipRecord(dir, next);
  };

  /** The lines are in the store: they are not needed here any more. */
  const commit = (intent: ShipIntent, object: ShipRecord['object']) => {
    save({ version: 1, position: intent.position, object, intent: undefined });
    const needed = neededFrom(intent.position);
    const segments = listSegments(dir);
    for (const [index, segment] of segments.entries()) {
      const next = segments[index + 1];
      if (next && next.offset <= needed) rmSync(segment.path, { force: true });
    }
  };

  /** What is there is kept, and not put again: the base for a new object in its place. Rethrows the error before it has come often enough. */
  const doWithout = async (base: KnownObject, error: RuntimeError, signal: AbortSignal | undefined) => {
    const { mistrusted } = load();
    const calls = mistrusted?.etag === base.etag ? mistrusted.calls + 1 : 1;
    save({ ...load(), mistrusted: { etag: base.etag, calls } });
    if (calls < CALLS_BEFORE_ASIDE) throw error;
    const kept = await objects.setAside(base, { signal });
    const hint = `Look at ${kept.aside}; \`runtime logs\` shows its lines as well. Check the store.`;
    warn?.('a damaged log was kept under another name, and a new one is begun', {
      code: error.code,
      reason: error.message,
      keptAs: kept.aside,
      hint,
    });
    return kept.base;
  };

  const send = async (first: ShipIntent, tail: Buffer, signal: AbortSignal | undefined) => {
    let intent = first;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return commit(intent, await objects.extend(intent.key, intent.base, tail, { signal }));
      } catch (error) {
        if (isRuntimeError(error, 'unavailable') && error.op === WRONG_SUM && intent.base) {
          intent = { ...intent, base: await doWithout(intent.base, error, signal) };
          save({ ...load(), intent });
          continue;
        }
        if (!isRuntimeError(error, 'conflict', 'not-found') || attempt === MAX_ATTEMPTS) throw error;
        // Somebody else has written: either we did, and did not hear of it, or our lines go after theirs.
        const now = await objects.look(intent.key, { signal });
        if (now && (await objects.holds(now, intent, { signal }))) return commit(intent, now);
        intent = { ...intent, base: now };
        save({ ...load(), intent });
      }
    }
  };

  /** A write that we do not know the outcome of: the same one again, unless it happened. */
  const settle = async (intent: ShipIntent, signal: AbortSignal | undefined) => {
    const now = await objects.look(intent.key, { signal });
    if (now && (await objects.holds(now, intent, { signal }))) return commit(intent, now);
    const batch = await readBatch(dir, load().position, { until: intent.position.offset });
    if (batch && sha256(batch.tail) === intent.sha256) return send(intent, batch.tail, signal);
    // Its lines were dropped meanwhile, for want of room; the next batch says how many.
    save({ ...load(), intent: undefined });
  };

  const shipBatch = async (batch: Batch, signal: AbortSignal | undefined) => {
    const key = dayKey(bot, batch.day);
    const { object } = load();
    const base = object?.key === key ? object : await objects.look(key, { signal });
    const { tail, position } = batch;
    const intent = { key, base, size: tail.length, sha256: sha256(tail), position };
    save({ ...load(), intent });
    await send(intent, tail, signal);
  };

  const ship = async (signal: AbortSignal | undefined, final: boolean): Promise<ShipReport> => {
    let lines = 0;
    let bytes = 0;
    const { intent, position } = load();
    if (intent) {
      await settle(intent, signal);
      lines += load().position.lines - position.lines;
      bytes += intent.size;
    }
    for (let more = true; more; ) {
      signal?.throwIfAborted();
      const batch = await readBatch(dir, load().position, { maxBytes: batchBytes });
      if (!batch) break;
      await shipBatch(batch, signal);
      lines += batch.lines;
      bytes += batch.tail.length;
      more = batch.more || final;
    }
    return { lines, bytes };
  };

  return {
    ship: ({ signal, final = false } = {}) => {
      const next = running.then(() => ship(signal, final));
      running = next.catch(() => undefined);
      return next;
    },
    lag: () => unshippedBytes(dir, load().position),
  };
}
