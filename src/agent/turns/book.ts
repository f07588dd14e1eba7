import type { Accepted, Ended, Entry, Keyed, Restart } from './entry.ts';
import { EventLog } from './eventLog.ts';
import { hasEnded, type TurnRecord } from './turn.ts';

/** So many turns are kept, so long, and so many characters of theirs at most: what goes first is what came first. */
const KEPT_TURNS = 1000;
const KEPT_MS = 24 * 60 * 60 * 1000;
const KEPT_CHARACTERS = 32 * 1024 * 1024;
const KEPT_RESTARTS = 100;
const KEPT_SESSIONS = 10_000;
/** Keys within their 24 hours: none of them may go, so there can be no more. */
const MAX_KEYS = 50_000;

export type LookUp =
  | { readonly type: 'unknown' }
  | { readonly type: 'known'; readonly id: string }
  | { readonly type: 'conflict' };

interface Key {
  readonly id: string;
  readonly hash: string;
  readonly at: number;
}

interface KeptRestart {
  readonly restart: Restart;
  readonly at: number;
  readonly keyed: Keyed | undefined;
}

/**
 * Everything that is kept of turns, as a state that only entries change: what a start reads from the journal is what was there when
 * they were written. What is under way besides is known to `Turns` alone.
 */
export class TurnBook {
  readonly #turns = new Map<string, TurnRecord>();
  readonly #keys = new Map<string, Key>();
  readonly #keyOf = new Map<string, Keyed>();
  readonly #sessions = new Map<string, string>();
  readonly #restarts = new Map<string, KeptRestart>();
  #characters = 0;

  turn(id: string): TurnRecord | undefined {
    return this.#turns.get(id);
  }

  turns(): readonly TurnRecord[] {
    return [...this.#turns.values()];
  }

  restart(id: string): Restart | undefined {
    return this.#restarts.get(id)?.restart;
  }

  /** Of the last one asked for. */
  lastRestart(): Restart | undefined {
    return [...this.#restarts.values()].at(-1)?.restart;
  }

  session(conversation: string): string | undefined {
    return this.#sessions.get(conversation);
  }

  get isFullOfKeys(): boolean {
    return this.#keys.size >= MAX_KEYS;
  }

  /** What was asked with this key before. */
  lookUp({ key, hash }: Keyed, now: number): LookUp {
    const found = this.#keys.get(key);
    if (found === undefined || now - found.at >= KEPT_MS) return { type: 'unknown' };
    return found.hash === hash ? { type: 'known', id: found.id } : { type: 'conflict' };
  }

  apply(entry: Entry): void {
    switch (entry.t) {
      case 'accepted':
        this.#accept(entry);
        break;
      case 'ended':
        this.#end(entry);
        break;
      case 'session':
        this.#remember(entry.conversation, entry.session);
        break;
      case 'spent':
        this.#keys.set(entry.keyed.key, { id: entry.id, hash: entry.keyed.hash, at: entry.at });
        break;
      case 'restart': {
        const keyed = entry.keyed ?? this.#restarts.get(entry.restart.id)?.keyed;
        this.#restarts.set(entry.restart.id, { restart: entry.restart, at: entry.at, keyed });
        if (keyed) this.#keys.set(keyed.key, { id: entry.restart.id, hash: keyed.hash, at: entry.at });
        break;
      }
    }
  }

  /** Forgets what is older, or more, than is kept; turns under way never. */
  prune(now: number): void {
    for (const record of this.#turns.values()) {
      const isOld = now - (record.endedAt ?? now) >= KEPT_MS;
      const isMuch = this.#turns.size > KEPT_TURNS || this.#characters > KEPT_CHARACTERS;
      if (!isOld && !isMuch) break;
      if (hasEnded(record)) this.#forget(record);
    }
    for (const [key, { at }] of this.#keys) {
      if (now - at < KEPT_MS) break;
      this.#keys.delete(key);
    }
    forgetFirst(this.#restarts, KEPT_RESTARTS);
    forgetFirst(this.#sessions, KEPT_SESSIONS);
  }

  /** The same state in as few entries as it takes. */
  entries(): Entry[] {
    const turns = this.turns().flatMap((record) => {
      const keyed = this.#keyOf.get(record.id);
      const accepted: Accepted = {
        t: 'accepted',
        id: record.id,
        conversation: record.conversation,
        at: record.acceptedAt,
        bytes: record.messageBytes,
        ...(keyed && { keyed }),
      };
      return hasEnded(record) ? [accepted, endedEntry(record)] : [accepted];
    });
    const sessions = [...this.#sessions].map(
      ([conversation, session]) => ({ t: 'session', conversation, session }) as const,
    );
    const spent = [...this.#keys].flatMap(([key, { id, hash, at }]) => {
      const own = this.#keyOf.get(id) ?? this.#restarts.get(id)?.keyed;
      return own?.key === key ? [] : [{ t: 'spent', id, at, keyed: { key, hash } } as const];
    });
    const restarts = [...this.#restarts.values()].map(
      ({ keyed, ...rest }) => ({ t: 'restart', ...rest, ...(keyed && { keyed }) }) as const,
    );
    return [...spent, ...turns, ...sessions, ...restarts];
  }

  #accept({ id, conversation, at, bytes, keyed }: Accepted): void {
    this.#turns.set(id, {
      id,
      conversation,
      acceptedAt: at,
      messageBytes: bytes,
      status: 'queued',
      log: new EventLog(),
      stopReason: null,
      usage: null,
      startedAt: null,
      endedAt: null,
      firstTokenMs: null,
      error: undefined,
    });
    if (!keyed) return;
    // Set anew, so that they stay in the order in which they go.
    this.#keys.delete(keyed.key);
    this.#keys.set(keyed.key, { id, hash: keyed.hash, at });
    this.#keyOf.set(id, keyed);
  }

  #end(entry: Ended): void {
    const record = this.#turns.get(entry.id);
    if (!record || hasEnded(record)) return;
    // Of one that ended here its readers hold the log; one that is read from a file has none yet.
    const log = record.log.items.length > 0 ? record.log : EventLog.of(entry.reply, entry.items);
    log.seal();
    const { status, stopReason, usage, startedAt, endedAt, firstTokenMs, error } = entry;
    Object.assign(record, { log, status, stopReason, usage, startedAt, endedAt, firstTokenMs, error });
    this.#characters += log.size;
    if (entry.session !== undefined) this.#remember(record.conversation, entry.session);
  }

  #remember(conversation: string, session: string): void {
    this.#sessions.delete(conversation);
    this.#sessions.set(conversation, session);
  }

  #forget(record: TurnRecord): void {
    this.#turns.delete(record.id);
    this.#keyOf.delete(record.id);
    this.#characters -= record.log.size;
  }
}

function endedEntry(record: TurnRecord): Ended {
  return {
    t: 'ended',
    id: record.id,
    status: record.status as Ended['status'],
    stopReason: record.stopReason,
    reply: record.log.reply,
    items: record.log.items as Ended['items'],
    usage: record.usage,
    startedAt: record.startedAt,
    endedAt: record.endedAt ?? record.acceptedAt,
    firstTokenMs: record.firstTokenMs,
    ...(record.error && { error: record.error }),
  };
}

function forgetFirst(map: Map<string, unknown>, kept: number): void {
  for (const key of map.keys()) {
    if (map.size <= kept) return;
    map.delete(key);
  }
}
