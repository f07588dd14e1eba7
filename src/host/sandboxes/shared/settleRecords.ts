import type { Clock } from '../../../base/clock.ts';
import { asRuntimeError, isRuntimeError } from '../../../base/errors.ts';
import type { Logger } from '../../../base/log.ts';
import { inParallel } from '../../../bot/state/read/inParallel.ts';
import type { RecordFiles } from '../openRecordFiles.ts';
import type { SandboxRecord } from '../record.ts';
import type { Claims } from './createClaims.ts';
import { whoseIs } from './whoseIs.ts';

export interface Settled {
  readonly records: readonly SandboxRecord[];
  /** Other hosts have them: what may still run of them here ends. */
  readonly elsewhere: readonly string[];
}

export interface SettleOptions {
  readonly files: RecordFiles;
  /** Undefined: this host shares its store with nobody. */
  readonly claims: Claims | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

const AT_ONCE = 16;
const RETRY_MS = 1_000;

/**
 * What is still this host's of what it had written down, before anything of it is started: while it was away others may have taken what
 * it had given back, and what somebody said it would not come back for. Waits for a store that is away.
 */
export async function settleRecords(options: SettleOptions): Promise<Settled> {
  const { files, claims, signal } = options;
  if (claims === undefined) return { records: files.found, elsewhere: [] };
  const records: SandboxRecord[] = [];
  const elsewhere: string[] = [];
  await inParallel(AT_ONCE, files.found, signal, async (record) => {
    const now = await settle(record, claims, options);
    if (now === undefined) {
      elsewhere.push(record.id);
      await files.remove(record.id);
    } else {
      records.push(now);
      if (now !== record) await files.put(now);
    }
  });
  return { records, elsewhere };
}

/** Undefined: it is another host's, or was taken away. */
async function settle(
  record: SandboxRecord,
  claims: Claims,
  options: SettleOptions,
): Promise<SandboxRecord | undefined> {
  const { id, held } = record;
  if (held === undefined) return record;
  const found = await patiently(() => claims.find(id), options);
  const whose = whoseIs(record, found, claims.host);
  if (whose === 'lost') return { ...record, ...lost(record) };
  if (found === undefined) return undefined;
  claims.accept(id, found.tag);
  if (whose === 'anothers') return undefined;
  const opened = openedOr(found.open, options.log);
  const isHeld = whose === 'ours';
  // The key has changed: it is sealed anew.
  if (opened === undefined && !isHeld)
    await patiently(() => claims.release({ ...record, held: false }), options);
  if (isHeld)
    return opened === undefined ? { ...record, held: undefined } : held ? record : { ...record, held: true };
  return { ...(opened ?? record), held: false };
}

/** Somebody has emptied the store, or had it taken and thrown away elsewhere: what it is now, nobody here knows. */
export function lost({ wanted }: SandboxRecord): Partial<SandboxRecord> {
  if (wanted === 'gone') return { held: undefined };
  const error = 'its record is no longer in the store; a resume starts it here, from what is saved';
  return { held: undefined, wanted: 'stopped', cause: 'failed', error };
}

function openedOr(open: () => SandboxRecord, log: Logger): SandboxRecord | undefined {
  try {
    return open();
  } catch (error) {
    const { message, hint } = asRuntimeError(error);
    log.warn(message, { hint });
    return undefined;
  }
}

async function patiently<T>(
  call: () => Promise<T>,
  { clock, log, signal }: Pick<SettleOptions, 'clock' | 'log' | 'signal'>,
): Promise<T> {
  for (let told = false; ; told = true) {
    try {
      return await call();
    } catch (error) {
      if (!isRuntimeError(error, 'unavailable')) throw error;
      if (!told) log.warn(`the store does not answer yet: ${asRuntimeError(error).message}`);
      await clock.sleep(RETRY_MS, signal);
    }
  }
}
