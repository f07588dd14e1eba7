import type { Clock } from '../../base/clock.ts';
import { openJournal, readJournal, readLines } from './journal.ts';
import type { Ledger, LedgerLine, TotalsQuery } from './ledger.ts';
import { dayPath, readShipped } from './shipped.ts';
import { idOf } from './shipUsage.ts';
import { Sums } from './sumUp.ts';
import { readTelemetryTrouble } from './telemetry/position.ts';
import { dayOf, makeUsageFolder } from './usageFolder.ts';

/*
 * What turns have cost.
 *
 *   openLedger   the query server's side: a line a turn, and sums over all of them
 *   journal      the lines that are not in the store yet, and some that are
 *   shipUsage    the daemon's side: to the store and, of earlier containers, from there (`days`); `shipped` says which line is where
 *   telemetry/   the daemon's side: to whoever adds up the money
 */

/** How long sums wait for what earlier containers have shipped, milliseconds. */
const BRING_MS = 10_000;
const POLL_MS = 100;
const DAY_MS = 24 * 3600 * 1000;

export interface LedgerOptions {
  /** See `usageFolder`. */
  readonly dir: string;
  readonly clock: Clock;
}

/** Throws the system's error where the ledger cannot be kept. */
export async function openLedger({ dir, clock }: LedgerOptions): Promise<Ledger> {
  makeUsageFolder(dir);
  const known = new Set<string>();
  for await (const { text } of readJournal(dir, 0)) known.add(idOf(text) ?? '');
  // Last: nobody would close it where something of this fails.
  const journal = await openJournal(dir, () => readShipped(dir)?.offset ?? 0);
  let broken: string | undefined;
  let isBrought = false;
  let hasStoreIds = false;

  /** A turn that an earlier container has told of is told of again where its state is older than the money. */
  const learn = async () => {
    const shipped = hasStoreIds ? undefined : readShipped(dir);
    if (!shipped) return;
    hasStoreIds = true;
    const since = dayOf(new Date(clock.now() - DAY_MS).toISOString());
    for (const [day, { size }] of Object.entries(shipped.days)) {
      if (day < since) continue;
      for await (const { text } of readLines(dayPath(dir, day), 0, size)) known.add(idOf(text) ?? '');
    }
  };

  const brought = async () => {
    const until = clock.elapsed() + BRING_MS;
    while (!isBrought && clock.elapsed() < until) {
      isBrought = readShipped(dir) !== undefined;
      if (!isBrought) await clock.sleep(POLL_MS);
    }
    return isBrought;
  };

  /** All lines, each once, wherever they are. */
  async function* lines({
    since = 0,
    until = Number.MAX_SAFE_INTEGER,
  }: TotalsQuery): AsyncGenerator<LedgerLine> {
    const { shipped, rest } = await asOfOneMoment(dir);
    const ids = new Set<string>();
    for (const [day, { size }] of Object.entries(shipped.days)) {
      if (!overlaps(day, since, until)) continue;
      for await (const { text } of readLines(dayPath(dir, day), 0, size)) {
        const line = parse(text);
        if (line) yield line;
        if (line && rest.length > 0) ids.add(line.requestId);
      }
    }
    for (const text of rest) {
      const line = parse(text);
      if (!line || ids.has(line.requestId)) continue;
      ids.add(line.requestId);
      yield line;
    }
  }

  return {
    record: async (line) => {
      await learn();
      if (known.has(line.requestId)) return;
      try {
        await journal.append(JSON.stringify(line));
        broken = undefined;
      } catch (error) {
        broken = `usage cannot be kept: ${(error as Error).message}`;
        throw error;
      }
      known.add(line.requestId);
    },
    totals: async (query) => {
      await brought();
      const sums = new Sums();
      const { since, until = clock.now() + 1, conversation } = query;
      for await (const line of lines({ since, until })) {
        const at = Date.parse(line.at);
        if (at < (since ?? 0) || at >= until) continue;
        if (conversation === undefined || line.conversation === conversation) sums.add(line);
      }
      const from = since === undefined ? null : new Date(since).toISOString();
      return sums.totals(from, new Date(query.until ?? clock.now()).toISOString());
    },
    trouble: () => broken ?? readTelemetryTrouble(dir),
    close: () => journal.close(),
  };
}

function overlaps(day: string, since: number, until: number): boolean {
  const start = Date.UTC(Number(day.slice(0, 4)), Number(day.slice(4, 6)) - 1, Number(day.slice(6)));
  return start < until && start + DAY_MS > since;
}

function parse(text: string): LedgerLine | undefined {
  try {
    const line = JSON.parse(text) as LedgerLine;
    return typeof line.requestId === 'string' && typeof line.tokens === 'object' ? line : undefined;
  } catch {
    return undefined;
  }
}

/** What is in `days/`, and the lines beside it: the daemon may be moving some from the one to the other. */
async function asOfOneMoment(dir: string) {
  for (;;) {
    const shipped = readShipped(dir) ?? { offset: 0, days: {} };
    const rest: string[] = [];
    for await (const { text } of readJournal(dir, shipped.offset)) rest.push(text);
    if ((readShipped(dir)?.offset ?? 0) === shipped.offset) return { shipped, rest };
  }
}
