import type { Clock } from '../../base/clock.ts';
import { asRuntimeError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { TurnBook } from './book.ts';
import type { Ended } from './entry.ts';
import type { Journal } from './journal.ts';
import type { Outcome } from './outcome.ts';
import type { Readers } from './readers.ts';
import type { TurnRecord } from './turn.ts';

/** The journal is written anew when it has grown to this, and to twice of what it was then. */
const COMPACT_BYTES = 4 * 1024 * 1024;
/** What could not be kept is tried again this often, milliseconds. */
const AGAIN_MS = 1000;

export interface EndsOptions {
  readonly journal: Journal;
  readonly ledger: Ledger;
  readonly book: TurnBook;
  readonly readers: Readers;
  readonly clock: Clock;
  readonly log: Logger;
  readonly bot: string;
  readonly kind: string;
  readonly instance: () => string | null;
}

/** Where turns end: in the ledger, in the journal, and only then for their clients. */
export interface Ends {
  /** Resolves when it is kept and told. */
  end(record: TurnRecord, outcome: Outcome): Promise<void>;
  /** Forgets what is old, and the failures of earlier processes. */
  tidy(): void;
  /** What cannot be kept now is not tried again. */
  giveUp(): void;
  /** The last turn that ended, where it failed: why. */
  readonly lastFailure: string | undefined;
  /** Why ends are not kept, in words. */
  readonly trouble: string | undefined;
}

export function createEnds(options: EndsOptions): Ends {
  const { journal, ledger, book, readers, clock, log } = options;
  let compactAt = COMPACT_BYTES;
  let isGivenUp = false;
  let lastFailure: string | undefined;
  let trouble: string | undefined;

  function compact(atLeast: number): void {
    book.prune(clock.now());
    if (journal.size < atLeast) return;
    journal.rewrite(book.entries());
    compactAt = Math.max(COMPACT_BYTES, 2 * journal.size);
  }

  /** The ledger first, since a crash before it leaves a turn under way; then the journal; only then is it told. */
  async function end(record: TurnRecord, outcome: Outcome): Promise<void> {
    const endedAt = clock.now();
    const { added, session, ...how } = outcome;
    const entry: Ended = {
      t: 'ended',
      id: record.id,
      ...how,
      reply: record.log.reply,
      items: record.log.items as Ended['items'],
      usage: added.usage,
      startedAt: record.startedAt,
      endedAt,
      firstTokenMs: record.firstTokenMs,
      ...(session === undefined ? {} : { session }),
    };
    await keep(() =>
      ledger.record({
        requestId: record.id,
        at: new Date(endedAt).toISOString(),
        agent: options.bot,
        instance: options.instance(),
        kind: options.kind,
        conversation: record.conversation,
        model: added.usage.model,
        provider: added.usage.provider,
        tokens: added.usage.tokens,
        costs: added.costs,
        usd: added.usd,
        source: added.usage.source,
        status: how.status,
        durationMs: endedAt - (record.startedAt ?? endedAt),
        firstTokenMs: record.firstTokenMs,
      }),
    );
    await keep(async () => journal.append(entry));
    book.apply(entry);
    lastFailure =
      how.status === 'failed' ? `the last turn failed: ${how.error?.message ?? how.error?.code}` : undefined;
    readers.changed(record.id);
    try {
      compact(compactAt);
    } catch (error) {
      log.warn(asRuntimeError(error).message);
    }
  }

  /** A full disk is waited for: the turn ends for its client when it is kept, or when we end. */
  async function keep(work: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        await work();
        trouble = undefined;
        return;
      } catch (error) {
        const { message } = asRuntimeError(error);
        if (trouble !== message) log.error(`a turn that has ended is not kept yet: ${message}`);
        trouble = message;
        if (isGivenUp) return;
        await clock.sleep(AGAIN_MS);
      }
    }
  }

  return {
    end,
    tidy: () => {
      lastFailure = undefined;
      compact(0);
    },
    giveUp: () => {
      isGivenUp = true;
    },
    get lastFailure() {
      return lastFailure;
    },
    get trouble() {
      return trouble;
    },
  };
}
