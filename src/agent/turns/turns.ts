import type { Clock } from '../../base/clock.ts';
import { asRuntimeError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { ContentPart } from '../links/agentLink.ts';
import { NOTHING } from './addUp.ts';
import { TurnBook } from './book.ts';
import { createEnds } from './ends.ts';
import type { Keyed } from './entry.ts';
import type { Journal } from './journal.ts';
import { CANCELLED, failed, type Judgement } from './outcome.ts';
import { createReaders, type Readers } from './readers.ts';
import { Refusal } from './refusal.ts';
import { replayed } from './replayed.ts';
import { type Running, type RunTurnOptions, runTurn, stop } from './runTurn.ts';
import { hasEnded, type TurnError, type TurnRecord } from './turn.ts';
import { type Asked, createWaiting } from './waiting.ts';

/**
 * The room of an agent's turns: what was asked, in which order it is asked, and what became of it.
 *
 *   openAgent      puts the parts together
 *   turns          the turns themselves: accepted, `waiting`, run (`runTurn`), ended; how is an `outcome`, which `ends` writes down before it is told
 *   book, entry    all that is kept of them, and the entries that change it; `journal` has them in the bot's state
 *   eventLog       what a turn has said, in which pieces (`wellFormed`); `readers` wakes those who wait for more
 *   addUp          what a turn has cost
 *   agentLife      the agent's process of the moment: whether it answers, and by which link
 *   restarts       stop, save, start; `health` says how all of this stands
 *   http/          the protocol: /_runtime/agent
 *
 * A turn is sent to the agent at most once. Whatever dies, it is found again under its id, ended or not.
 */

const LEFT_UNDER_WAY: TurnError = {
  code: 'interrupted',
  message: 'the server of turns died while it was under way; it is not run again',
};

export interface TurnsOptions {
  readonly journal: Journal;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly log: Logger;
  /** Letters and digits that cannot be guessed. */
  readonly newId: () => string;
  readonly bot: string;
  readonly kind: string;
  /** How long a turn may run, milliseconds. */
  readonly timeoutMs: number;
  /** Turns that run at once. */
  readonly concurrency: () => number;
  /** Sends it to the agent that answers now; see `AgentLink.send`. */
  readonly send: RunTurnOptions['send'];
  readonly instance: () => string | null;
  /** While it is, nothing is sent; whoever ends that calls `pump`. */
  readonly isHeld: () => boolean;
  /** Somebody has asked for the agent's end: what it takes along was interrupted. */
  readonly isStopping: () => boolean;
}

export interface NewTurn {
  readonly conversation: string | undefined;
  readonly message: readonly ContentPart[];
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly keyed: Keyed | undefined;
}

export interface Submitted {
  readonly record: TurnRecord;
  /** It was asked for before, with the same key. */
  readonly isReplayed: boolean;
}

export interface Turns {
  /** Everything that is kept. */
  readonly book: TurnBook;
  readonly readers: Readers;
  /** Throws `Refusal` (409, 429), and 503 where it cannot be written down. `refusal`: why nothing new is taken now. */
  submit(turn: NewTurn, refusal: () => Refusal | undefined): Submitted;
  /** Resolves when it has ended. */
  whenEnded(record: TurnRecord, signal: AbortSignal): Promise<void>;
  /** One that waits ends at once, one that runs when the agent lets go of it. */
  cancel(record: TurnRecord): void;
  cancelRunning(): void;
  /** Turns that wait are run, as far as there is room for them. Called when that may have changed. */
  pump(): void;
  /** Fails everything under way; resolves when that is kept. Nothing is sent any more. */
  interrupt(error: TurnError): Promise<void>;
  /** When none runs any more. */
  whenIdle(signal: AbortSignal): Promise<void>;
  readonly active: number;
  readonly queued: number;
  /** The last turn that ended, where it failed: why. */
  readonly lastFailure: string | undefined;
  /** Why ends of turns are not kept, in words. */
  readonly trouble: string | undefined;
}

/** Reads what is kept; turns that an earlier process has left under way are failed, and written down as that. */
export async function openTurns(options: TurnsOptions): Promise<Turns> {
  const { journal, clock } = options;
  const book = new TurnBook();
  const readers = createReaders();
  const waiting = createWaiting();
  const ends = createEnds({ ...options, book, readers });
  const running = new Map<string, Running>();
  const ending = new Set<Promise<void>>();
  let isStopped = false;

  for (const entry of journal.read()) book.apply(entry);
  for (const record of book.turns().filter((found) => !hasEnded(found))) {
    await ends.end(record, { ...failed(LEFT_UNDER_WAY), added: NOTHING });
  }
  ends.tidy();

  function submit(turn: NewTurn, refusal: () => Refusal | undefined): Submitted {
    const now = clock.now();
    const before = replayed(book, turn.keyed, now, (id) => book.turn(id), 'whose reply is not kept any more');
    if (before) return { record: before, isReplayed: true };
    const refused = refusal();
    if (refused) throw refused;
    const conversation = turn.conversation ?? `cnv_${options.newId()}`;
    const bytes = turn.message.reduce(
      (sum, part) => sum + Buffer.byteLength(part.type === 'text' ? part.text : part.data),
      0,
    );
    waiting.checkRoom(conversation, bytes, running.size === 0);
    if (turn.keyed && book.isFullOfKeys) {
      throw new Refusal(429, 'too_many', 'too many keys in 24 hours', { 'retry-after': '60' });
    }
    const id = `msg_${options.newId()}`;
    const entry = {
      t: 'accepted',
      id,
      conversation,
      at: now,
      bytes,
      ...(turn.keyed && { keyed: turn.keyed }),
    } as const;
    try {
      journal.append(entry);
    } catch (error) {
      throw new Refusal(503, 'failed', asRuntimeError(error).message, { 'retry-after': '5' });
    }
    book.apply(entry);
    const record = book.turn(id) as TurnRecord;
    waiting.add(record, turn);
    pump();
    return { record, isReplayed: false };
  }

  function pump(): void {
    while (!options.isHeld() && !isStopped && running.size < options.concurrency()) {
      const busy = new Set([...running.keys()].map((id) => book.turn(id)?.conversation));
      const next = waiting.take(busy);
      if (next === undefined) return;
      track(run(next.record, next.asked));
    }
  }

  function track(work: Promise<void>): void {
    ending.add(work);
    void work.finally(() => ending.delete(work));
  }

  async function run(record: TurnRecord, asked: Asked): Promise<void> {
    const state: Running = { abort: new AbortController(), ended: undefined };
    running.set(record.id, state);
    const session = book.session(record.conversation);
    await ends.end(record, await runTurn({ ...options, readers }, record, asked, session, state));
    running.delete(record.id);
    pump();
    readers.changed(record.id);
  }

  function cancelQueued(record: TurnRecord, judgement: Judgement): void {
    if (waiting.remove(record)) track(ends.end(record, { ...judgement, added: NOTHING }));
  }

  return {
    book,
    readers,
    submit,
    pump,
    whenEnded: async (record, signal) => {
      while (!hasEnded(record) && !signal.aborted) await readers.whenChanged(record.id, signal);
    },
    cancel: (record) => {
      const state = running.get(record.id);
      if (state) stop(state, CANCELLED);
      else cancelQueued(record, CANCELLED);
    },
    cancelRunning: () => {
      for (const state of running.values()) stop(state, CANCELLED);
    },
    interrupt: async (error) => {
      isStopped = true;
      ends.giveUp();
      for (const record of waiting.all()) cancelQueued(record, failed(error));
      for (const state of running.values()) stop(state, failed(error));
      await Promise.all(ending);
    },
    whenIdle: async (signal) => {
      while (running.size > 0 && !signal.aborted) {
        const [id = ''] = running.keys();
        await readers.whenChanged(id, signal);
      }
    },
    get active() {
      return running.size;
    },
    get queued() {
      return waiting.count;
    },
    get lastFailure() {
      return ends.lastFailure;
    },
    get trouble() {
      return ends.trouble;
    },
  };
}
