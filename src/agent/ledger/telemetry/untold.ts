import { listSegments, readJournal, readLines } from '../journal.ts';
import type { LedgerLine } from '../ledger.ts';
import { dayPath, readShipped } from '../shipped.ts';
import { dayOf } from '../usageFolder.ts';
import type { TelemetryPosition } from './position.ts';

/** The ledger's lines after the last one that is done with, in their order. */
export interface Untold {
  /** At most `limit` of them. */
  next(last: TelemetryPosition['last'], limit: number): Promise<readonly LedgerLine[]>;
}

const DAY_MS = 24 * 3600 * 1000;

/** `now`: of older days than yesterday nothing is told anyway. */
export function untold(dir: string, now: () => number): Untold {
  /** Where in the journal the last line that was given out ends; it need not be looked for again. */
  let cursor: { readonly requestId: string; readonly end: number } | undefined;

  async function* all(): AsyncGenerator<{ readonly line: LedgerLine; readonly end: number | undefined }> {
    const shipped = readShipped(dir) ?? { offset: 0, days: {} };
    const since = dayOf(new Date(now() - DAY_MS).toISOString());
    for (const [day, { size }] of Object.entries(shipped.days).sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (day < since) continue;
      for await (const { text } of readLines(dayPath(dir, day), 0, size)) {
        const line = parse(text);
        if (line) yield { line, end: undefined };
      }
    }
    for await (const { text, end } of readJournal(dir, shipped.offset)) {
      const line = parse(text);
      if (line) yield { line, end };
    }
  }

  async function* fromCursor(
    end: number,
  ): AsyncGenerator<{ readonly line: LedgerLine; readonly end: number }> {
    for await (const one of readJournal(dir, end)) {
      const line = parse(one.text);
      if (line) yield { line, end: one.end };
    }
  }

  return {
    next: async (last, limit) => {
      const known = cursor !== undefined && cursor.requestId === last?.requestId ? cursor : undefined;
      const isThere = known !== undefined && (listSegments(dir)[0]?.offset ?? 0) <= known.end;
      let lines: { readonly line: LedgerLine; readonly end: number | undefined }[] = [];
      for await (const one of isThere ? fromCursor(known.end) : all()) {
        // Before it, there is nothing to tell; where it is nowhere, its time says what is later.
        if (!isThere && last && one.line.requestId === last.requestId) lines = [];
        else if (isThere || !last || one.line.at >= last.at) lines.push(one);
        if (isThere && lines.length === limit) break;
      }
      const given = lines.slice(0, limit);
      const end = given.at(-1);
      if (end?.end !== undefined) cursor = { requestId: end.line.requestId, end: end.end };
      return given.map(({ line }) => line);
    },
  };
}

function parse(text: string): LedgerLine | undefined {
  try {
    const line = JSON.parse(text) as LedgerLine;
    return typeof line.requestId === 'string' ? line : undefined;
  } catch {
    return undefined;
  }
}
