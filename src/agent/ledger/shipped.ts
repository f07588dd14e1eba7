import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../../base/errors.ts';
import { replaceFile } from '../../base/replaceFile.ts';
import type { KnownObject } from '../../bot/logs/ship/shipRecord.ts';

/**
 * What is in the store, and in `days/` as it is there: all lines of the ledger before `offset`, and those of this bot's earlier
 * containers. The lines after `offset` are in the journal alone. One write moves both, so that every line counts once.
 */
export interface Shipped {
  readonly version: 1;
  /** Bytes since the ledger's beginning. */
  readonly offset: number;
  /** Each day's object, by day, as it is in `days/`: its first `size` bytes there. */
  readonly days: Readonly<Record<string, Pick<KnownObject, 'etag' | 'size'>>>;
  /** A write under way, on record before it is sent; it stays the next thing to write until it is settled. */
  readonly intent?: Intent | undefined;
}

export interface Intent {
  readonly day: string;
  /** Undefined: there was no object. */
  readonly base: KnownObject | undefined;
  /** What comes after `base`. */
  readonly tail: string;
  /** Where the journal has been read to, once this is in the store. */
  readonly offset: number;
}

/** Undefined: nothing has been brought from the store yet, so what is here is not all. */
export function readShipped(dir: string): Shipped | undefined {
  try {
    const value = JSON.parse(readFileSync(path(dir), 'utf8')) as Shipped;
    return value.version === 1 ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Atomic: a reader, or we after a crash, sees the old one or the new one. */
export function writeShipped(dir: string, shipped: Shipped): void {
  replaceFile(path(dir), JSON.stringify(shipped), { mode: 0o640 });
}

export function dayPath(dir: string, day: string): string {
  return join(dir, 'days', `${day}.ndjson`);
}

function path(dir: string): string {
  return join(dir, 'shipped.json');
}
