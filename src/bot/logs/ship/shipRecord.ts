import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../../../base/errors.ts';
import { replaceFile } from '../../../base/replaceFile.ts';
import { scanSegment } from '../scanSegment.ts';
import { listSegments } from '../segment.ts';
import { journalStart, type Position } from './position.ts';

/** What survives a restart of the daemon, or of the container where LOGS_PATH does; kept in `shipped.json`. */
export interface ShipRecord {
  readonly version: 1;
  /** Everything before is in the store. */
  readonly position: Position;
  /** The object that was written last, as it was then. */
  readonly object: KnownObject | undefined;
  /**
   * A write under way, on record before it is sent: whether it happened, when its answer is lost, is told by comparing the
   * object's bytes after `base` with it. It stays the next thing to write until that is settled.
   */
  readonly intent: ShipIntent | undefined;
  /** An object whose bytes do not have the checksum that the store tells, and in how many calls that was so. */
  readonly mistrusted?: { readonly etag: string; readonly calls: number } | undefined;
}

export interface KnownObject {
  readonly key: string;
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
  /** Hex, of all of it, where it is known. */
  readonly sha256?: string | undefined;
}

export interface ShipIntent {
  readonly key: string;
  /** Undefined: there was no object. */
  readonly base: KnownObject | undefined;
  /** Of what comes after `base`. */
  readonly size: number;
  readonly sha256: string;
  /** Where the journal has been read to, once this is in the store. */
  readonly position: Position;
}

/** Where there is none: everything that is in the journal is to be shipped. */
export function readShipRecord(dir: string): ShipRecord {
  const record = parse(dir) ?? { version: 1, position: oldest(dir), object: undefined, intent: undefined };
  return { ...record, position: withinJournal(dir, record.position) };
}

/** Atomic: a reader, or we after a crash, sees the old record or the new one. */
export function writeShipRecord(dir: string, record: ShipRecord): void {
  replaceFile(recordPath(dir), JSON.stringify(record), { mode: 0o640 });
}

/** Bytes that the journal has beyond `position`. */
export function unshippedBytes(dir: string, position: Position): number {
  return Math.max(journalEnd(dir) - position.offset, 0);
}

function recordPath(dir: string): string {
  return join(dir, 'shipped.json');
}

function parse(dir: string): ShipRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(recordPath(dir), 'utf8')) as ShipRecord;
    return record.version === 1 ? record : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function oldest(dir: string): Position {
  const [segment] = listSegments(dir);
  return segment ? { offset: segment.offset, lines: segment.lines, open: {} } : journalStart;
}

function journalEnd(dir: string): number {
  const newest = listSegments(dir).at(-1);
  return newest ? newest.offset + statSync(newest.path).size : 0;
}

/** A host that lost power may have lost the journal's end: what is written there now is new. */
function withinJournal(dir: string, position: Position): Position {
  const newest = listSegments(dir).at(-1);
  if (newest === undefined || position.offset <= journalEnd(dir)) return position;
  const { bytes, lines } = scanSegment(newest.path);
  return { offset: newest.offset + bytes, lines: newest.lines + lines, open: {} };
}
