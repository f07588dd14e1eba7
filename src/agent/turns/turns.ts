import type { Clock } from '../../base/clock.ts';
import { asRuntimeError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { Ledger } from '../ledger/ledger.ts';
import {
  AgentError,
  type ContentPart,
  type TurnEnd,
  type TurnEvent,
  type TurnRequest,
} from '../links/agentLink.ts';
import { type AddedUp, addUp, NOTHING } from './addUp.ts';
import { TurnBook } from './book.ts';
import type { Ended, Keyed } from './entry.ts';
import type { Journal } from './journal.ts';
import { createReaders, type Readers } from './readers.ts';
import { Refusal } from './refusal.ts';
import { hasEnded, type TurnError, type TurnRecord } from './turn.ts';

/**
 * The room of an agent's turns: what was asked, in which order it is asked, and what became of it.
 *
 *   openAgent      puts the parts together
 *   turns          the turns themselves: accepted, run, ended, each step written down before anybody is told
 *   book, entry    all that is kept of them, and the entries that change it; `journal` has them in the bot's state
 *   eventLog       what a turn has said, in which pieces; `readers` wakes those who wait for more
 *   addUp          what a turn has cost
 *   agentLife      the agent's process of the moment: whether it answers, and by which link
 *   restarts       stop, save, start; `health` says how all of this stands
 *   http/          the protocol: /_runtime/agent
 *
 * A turn is sent to the agent at most once. Whatever dies, it is found again under its id, ended or not.
 */

/** Waiting turns of one conversation, of all together, and bytes of their messages. */
const MAX_WAITING = 16;
const MAX_WAITING_ALL = 256;
const MAX_WAITING_BYTES = 32 * 1024 * 1024;
/** The journal is written anew when it has grown to this, and to twice of what it was then. */
const COMPACT_BYTES = 4 * 1024 * 1024;
/** The ledger is tried again this often, milliseconds. */
const RECORD_AGAIN_MS = 1000;

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
  readonly send: (
    request: TurnRequest,
    tell: (event: TurnEvent) => void,
    signal: AbortSignal,
  ) => Promise<TurnEnd>;
  readonly instance: () => string | null;
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

/** Why a turn is ended before its agent has ended it. */
type Abort = 'cancelled' | 'timeout' | 'interrupted';

interface Running {
  readonly abort: AbortController;
  why: Abort | undefined;
}

interface Asked {
  readonly message: readonly ContentPart[];
  readonly metadata: Readonly<Record<string, unknown>>;
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
  /** While it is held nothing is sent to the agent. */
  hold(isHeld: boolean): void;
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
  const { journal, ledger, clock, log } = options;
  const book = new TurnBook();
  const readers = createReaders();
  const asked = new Map<string, Asked>();
  const running = new Map<string, Running>();
  const ending = new Set<Promise<void>>();
  const queue: TurnRecord[] = [];
  let waitingBytes = 0;
  let compactAt = COMPACT_BYTES;
  let isHeld = true;
  let isStopped = false;
  let interruption: TurnError = STOPPED;
  let lastFailure: string | undefined;
  let trouble: string | undefined;

  for (const entry of journal.read()) book.apply(entry);
  for (const record of book.turns().filter((found) => !hasEnded(found))) {
    await end(record, {
      status: 'failed',
      stopReason: 'error',
      error: {
        code: 'interrupted',
        message: 'the server of turns died while it was under way; it is not run again',
      },
      added: NOTHING,
    });
  }
  lastFailure = undefined;
  compact(0);

  function compact(atLeast: number): void {
    book.prune(clock.now());
    if (journal.size < atLeast) return;
    journal.rewrite(book.entries());
    compactAt = Math.max(COMPACT_BYTES, 2 * journal.size);
  }

  function submit(turn: NewTurn, refusal: () => Refusal | undefined): Submitted {
    const now = clock.now();
    const known = turn.keyed && book.lookUp(turn.keyed, now);
    if (known?.type === 'conflict') {
      throw new Refusal(409, 'idempotency_conflict', 'this Idempotency-Key came with another request before');
    }
    if (known?.type === 'known') {
      const record = book.turn(known.id);
      if (record) return { record, isReplayed: true };
      throw new Refusal(
        409,
        'idempotency_conflict',
        `this Idempotency-Key was that of ${known.id}, whose reply is not kept any more`,
      );
    }
    const refused = refusal();
    if (refused) throw refused;
    const conversation = turn.conversation ?? `cnv_${options.newId()}`;
    const bytes = turn.message.reduce(
      (sum, part) => sum + Buffer.byteLength(part.type === 'text' ? part.text : part.data),
      0,
    );
    checkRoom(conversation, bytes, turn.keyed !== undefined);
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
      trouble = asRuntimeError(error).message;
      throw new Refusal(503, 'failed', trouble, { 'retry-after': '5' });
    }
    book.apply(entry);
    const record = book.turn(id) as TurnRecord;
    asked.set(id, { message: turn.message, metadata: turn.metadata });
    queue.push(record);
    waitingBytes += bytes;
    pump();
    return { record, isReplayed: false };
  }

  function checkRoom(conversation: string, bytes: number, isKeyed: boolean): void {
    const refuse = (why: string) => new Refusal(429, 'too_many', why, { 'retry-after': '1' });
    const isBusy = queue.length > 0 || running.size > 0;
    if (queue.filter((record) => record.conversation === conversation).length >= MAX_WAITING) {
      throw refuse(`${MAX_WAITING} messages of this conversation wait already`);
    }
    if (isBusy && (queue.length >= MAX_WAITING_ALL || waitingBytes + bytes > MAX_WAITING_BYTES)) {
      throw refuse('too many messages wait already');
    }
    if (isKeyed && book.isFullOfKeys) throw refuse('too many keys in 24 hours');
  }

  function pump(): void {
    while (!isHeld && !isStopped && running.size < options.concurrency()) {
      const busy = new Set([...running.keys()].map((id) => book.turn(id)?.conversation));
      const at = queue.findIndex((record) => !busy.has(record.conversation));
      const record = queue[at];
      if (record === undefined) return;
      queue.splice(at, 1);
      waitingBytes -= record.messageBytes;
      track(run(record));
    }
  }

  function track(work: Promise<void>): void {
    ending.add(work);
    void work.finally(() => ending.delete(work));
  }

  async function run(record: TurnRecord): Promise<void> {
    const state: Running = { abort: new AbortController(), why: undefined };
    running.set(record.id, state);
    const startedAt = clock.now();
    Object.assign(record, { status: 'running', startedAt });
    readers.changed(record.id);
    const { message, metadata } = asked.get(record.id) as Asked;
    asked.delete(record.id);
    const reports: NonNullable<TurnEnd['usage']>[] = [];
    let overflow = false;
    const tell = (event: TurnEvent) => {
      if (hasEnded(record)) return;
      if (event.type === 'usage') {
        reports.push(event.usage);
        return;
      }
      if (event.type === 'delta' && event.text !== '') record.firstTokenMs ??= clock.now() - startedAt;
      if (!record.log.add(event) && !overflow) {
        overflow = true;
        state.abort.abort(new AgentError('agent_failed', 'the agent said more than a turn may hold'));
      }
      readers.changed(record.id);
    };
    const over = new AbortController();
    clock.sleep(options.timeoutMs, over.signal).then(
      () => stop(state, 'timeout'),
      () => undefined,
    );
    const request = {
      id: record.id,
      conversation: record.conversation,
      session: book.session(record.conversation),
      message,
      metadata,
    };
    const [outcome] = await Promise.allSettled([options.send(request, tell, state.abort.signal)]);
    over.abort();
    if (outcome.status === 'fulfilled' && outcome.value.usage) reports.push(outcome.value.usage);
    const session = outcome.status === 'fulfilled' ? outcome.value.session : undefined;
    await end(record, {
      ...(overflow
        ? failed({ code: 'agent_failed', message: 'the agent said more than a turn may hold' })
        : judge(outcome, state.why ?? (options.isStopping() ? 'stopping' : undefined), record)),
      added: addUp(reports, record.messageBytes, record.log),
      session,
    });
    running.delete(record.id);
    pump();
    readers.changed(record.id);
  }

  function judge(
    outcome: PromiseSettledResult<TurnEnd>,
    why: Abort | 'stopping' | undefined,
    record: TurnRecord,
  ): Omit<Outcome, 'added'> {
    if (why === 'timeout') {
      const message = `the agent did not end the turn within ${options.timeoutMs} ms`;
      return failed({ code: 'timeout', message });
    }
    if (why === 'interrupted') return failed(interruption);
    if (why === 'cancelled') return CANCELLED;
    if (outcome.status === 'rejected' && why === 'stopping') return failed(STOPPED);
    return judgeEnd(outcome, record);
  }

  function stop(state: Running, why: Abort): void {
    state.why ??= why;
    state.abort.abort(new Error(why));
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
        if (isStopped) return;
        await clock.sleep(RECORD_AGAIN_MS);
      }
    }
  }

  function cancelQueued(record: TurnRecord, outcome: Omit<Outcome, 'added'>): void {
    const at = queue.indexOf(record);
    if (at === -1) return;
    queue.splice(at, 1);
    waitingBytes -= record.messageBytes;
    asked.delete(record.id);
    track(end(record, { ...outcome, added: NOTHING }));
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
      if (state) stop(state, 'cancelled');
      else cancelQueued(record, CANCELLED);
    },
    cancelRunning: () => {
      for (const state of running.values()) stop(state, 'cancelled');
    },
    hold: (held) => {
      isHeld = held;
      pump();
    },
    interrupt: async (error) => {
      isStopped = true;
      interruption = error;
      for (const record of [...queue]) cancelQueued(record, failed(error));
      for (const state of running.values()) stop(state, 'interrupted');
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
      return queue.length;
    },
    get lastFailure() {
      return lastFailure;
    },
    get trouble() {
      return trouble;
    },
  };
}

interface Outcome extends Pick<Ended, 'status' | 'stopReason' | 'error' | 'session'> {
  readonly added: AddedUp;
}

const STOPPED: TurnError = { code: 'interrupted', message: 'the agent was stopped' };
const CANCELLED = { status: 'cancelled', stopReason: 'cancelled' } as const;

function failed(error: TurnError) {
  return { status: 'failed', stopReason: 'error', error } as const;
}

/** Of a turn that nobody has ended but the agent itself. */
function judgeEnd(outcome: PromiseSettledResult<TurnEnd>, { log }: TurnRecord): Omit<Outcome, 'added'> {
  if (outcome.status === 'rejected') {
    const { reason } = outcome as { reason: unknown };
    const message = (reason instanceof Error ? reason.message : String(reason)).slice(0, 4096);
    return failed({ code: reason instanceof AgentError ? reason.code : 'agent_failed', message });
  }
  const { stopReason } = outcome.value;
  if (stopReason === 'cancelled') return CANCELLED;
  if (stopReason === 'error') {
    return failed({ code: 'agent_failed', message: 'the agent ended the turn with an error' });
  }
  if (stopReason === 'refusal' && log.reply === '') {
    return failed({ code: 'agent_refused', message: 'the agent refused without a word' });
  }
  return { status: 'completed', stopReason };
}
