import type { Clock } from '../../../base/clock.ts';
import { createTurns } from '../../../base/createTurns.ts';
import { asRuntimeError, isRuntimeError } from '../../../base/errors.ts';
import type { Logger } from '../../../base/log.ts';
import type { SandboxRecord } from '../record.ts';
import type { SharedRecord, SharedRecords } from './sharedRecords.ts';

const RETRY_MS = 5_000;

export interface ClaimsListener {
  /** The store has it. */
  told(id: string): void;
  /** It is not as this host had left it; undefined: there is none any more. */
  surprised(id: string, found: SharedRecord | undefined): void;
}

/** Which sandboxes are this host's. What is done to one is done one after the other. */
export interface Claims {
  readonly host: string;
  find(id: string): Promise<SharedRecord | undefined>;
  /** What this host knows of it from now on is what was found so; undefined: nothing. The next write is over that alone. */
  accept(id: string, tag: string | undefined): void;
  /** Makes it this host's: 'taken', or what was there instead. Throws `unavailable`: nobody knows then, and it may be asked again. */
  take(record: SandboxRecord): Promise<'taken' | SharedRecord | undefined>;
  /** Tells the store the newest of one that is this host's; tried until it is there. */
  note(record: SandboxRecord): void;
  /** It is nobody's any more; where it was not this host's, the listener is told. Throws `unavailable`. */
  release(record: SandboxRecord): Promise<void>;
  /** Takes away the record of one that is gone for good. */
  drop(id: string): Promise<void>;
  /** Compares what the store has with what this host has left there. */
  check(id: string): Promise<void>;
  /** Those that the store has otherwise than this host has left them, of these. */
  changed(ids: Iterable<string>): Promise<readonly string[]>;
  listen(listener: ClaimsListener): void;
}

export interface ClaimsOptions {
  readonly shared: SharedRecords;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

export function createClaims({ shared, clock, log, signal }: ClaimsOptions): Claims {
  const tags = new Map<string, string>();
  const inTurn = createTurns();
  /** To be told. */
  const newest = new Map<string, SandboxRecord>();
  let listener: ClaimsListener | undefined;

  async function write(record: SandboxRecord, holder: string | undefined): Promise<void> {
    tags.set(record.id, await shared.write(record, holder, tags.get(record.id)));
  }

  function accept(id: string, tag: string | undefined): void {
    if (tag === undefined) tags.delete(id);
    else tags.set(id, tag);
  }

  /** Else what is there, which is not this host's. An answer that was lost is no surprise. */
  async function writeOwn(record: SandboxRecord, holder: string | undefined) {
    for (let attempt = 0; ; attempt++) {
      try {
        await write(record, holder);
        return 'written';
      } catch (error) {
        if (!isRuntimeError(error, 'conflict')) throw error;
        const found = await shared.read(record.id);
        if (found?.holder !== shared.host || attempt > 2) return found;
        accept(record.id, found.tag);
      }
    }
  }

  async function tell(id: string): Promise<void> {
    const record = newest.get(id);
    if (record === undefined) return;
    newest.delete(id);
    try {
      const found = await writeOwn(record, shared.host);
      if (found === 'written') listener?.told(id);
      else listener?.surprised(id, found);
    } catch (error) {
      if (signal.aborted) return;
      log.warn(`sandbox ${id}: other hosts cannot be told of it yet: ${asRuntimeError(error).message}`);
      if (!newest.has(id)) newest.set(id, record);
      // Whatever else is to be done to it does not wait for that.
      clock.sleep(RETRY_MS, signal).then(
        () => inTurn(id, () => tell(id)),
        () => undefined,
      );
    }
  }

  return {
    host: shared.host,
    find: (id) => inTurn(id, () => shared.read(id)),
    accept,
    take: (record) =>
      inTurn(record.id, async () => {
        const found = await writeOwn(record, shared.host);
        return found === 'written' ? 'taken' : found;
      }),
    note: (record) => {
      newest.set(record.id, record);
      void inTurn(record.id, () => tell(record.id));
    },
    release: (record) =>
      inTurn(record.id, async () => {
        newest.delete(record.id);
        const found = await writeOwn(record, undefined);
        if (found !== 'written') listener?.surprised(record.id, found);
      }),
    drop: (id) =>
      inTurn(id, async () => {
        newest.delete(id);
        await shared.remove(id);
        tags.delete(id);
      }),
    check: (id) =>
      inTurn(id, async () => {
        const found = await shared.read(id);
        if (found?.tag !== tags.get(id)) listener?.surprised(id, found);
      }),
    changed: async (ids) => {
      const found = await shared.tags();
      return [...ids].filter((id) => found.get(id) !== tags.get(id));
    },
    listen: (other) => {
      listener = other;
    },
  };
}
