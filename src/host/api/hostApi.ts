import type { BotSpec } from '../bots/botSpec.ts';
import type { Instance, LogChunk, LogOptions } from '../engine/engine.ts';
import type { Condition } from '../journal/condition.ts';
import type { EventQuery, HostEvent } from '../journal/event.ts';

/**
 * The room of what others see of a host: `hostApi` and `botView` are the shapes, `createHostApi` reads them off the loop and the journal.
 *
 * A host as protocols, the gateway and the operator's socket see it. They see nothing else of it. Everything that
 * changes what is wanted goes to the source. Errors: `not-found` (no such bot), `refused` (the source is read-only, or this bot
 * cannot do that), `config`, `unavailable`.
 */
export interface HostApi {
  status(): HostStatus;
  bots(): readonly BotView[];
  bot(name: string): BotView | undefined;
  /** Where the bot that runs answers queries; undefined: it does not run, or has neither a query program nor messages. */
  queryAddress(name: string): QueryAddress | undefined;
  /** Called with a bot's name whenever something of it has changed; the result ends it. */
  changes(listener: (bot: string) => void): () => void;

  events(query: EventQuery): Promise<readonly HostEvent[]>;
  watchEvents(listener: (event: HostEvent) => void): () => void;
  /** Of the instance that runs, else of the last one; followed, of those after it too. */
  logs(name: string, options: LogOptions, signal: AbortSignal): AsyncIterable<LogChunk>;

  /** Writes a bot.yaml to the source; resolves with the bot's name. */
  apply(text: string): Promise<string>;
  enable(name: string, enabled: boolean): Promise<void>;
  remove(name: string): Promise<void>;
  /** A scheduled bot: one run now, beside its schedule. Resolves with the run's time, which is its identity. */
  run(name: string): Promise<number>;
  restart(name: string): Promise<void>;
  /**
   * The previous specification, written to the source; with `at` also that snapshot of its state, published anew once the bot has
   * ended: resolves when that is recorded. Throws `not-found` for a snapshot that is not kept.
   */
  rollback(name: string, at: number | undefined): Promise<void>;
  /** For one bot's queries; valid until `revokeTokens`. */
  token(name: string): Promise<string>;
  /** Lets what the mass-delete guard holds back happen. */
  allowMassDelete(): Promise<void>;
  drain(): Promise<void>;
  resume(): Promise<void>;
}

export interface HostStatus {
  readonly version: string;
  readonly startedAt: number;
  readonly engine: { readonly name: string; readonly answers: boolean };
  readonly source: {
    readonly label: string;
    readonly answers: boolean;
    readonly listedAt: number | undefined;
  };
  readonly draining: boolean;
  /** Bots that the guard keeps although the source no longer has them. */
  readonly heldDeletes: number;
  /** Bots of the source that this host does not look after (`--only`). */
  readonly elsewhere: number;
  /** Bots that another host of the same store has: they are not run here. */
  readonly heldElsewhere: number;
  /** Bots that are not run before the store says whether another host has them. */
  readonly askingStore: number;
  /** Why the store does not say what other hosts have, and what to do about that; undefined: it does. */
  readonly ownersProblem: string | undefined;
  readonly bots: Readonly<Record<BotState, number>>;
}

/** In words for a table; the conditions say why. */
export type BotState =
  | 'running'
  | 'starting'
  | 'stopping'
  | 'waiting'
  | 'backoff'
  | 'held'
  | 'invalid'
  | 'disabled'
  | 'gone';

export interface BotView {
  readonly name: string;
  readonly state: BotState;
  /** Undefined: the source has none that parses, and what runs is left as it is. */
  readonly spec: BotSpec | undefined;
  readonly origin: string | undefined;
  readonly hash: string | undefined;
  readonly conditions: readonly Condition[];
  readonly instances: readonly Instance[];
  /** Of a scheduled bot: its next time; milliseconds. */
  readonly nextRun: number | undefined;
  readonly lastRun: RunView | undefined;
  readonly lastEnd: EndView | undefined;
  readonly failures: number;
}

export interface RunView {
  /** The scheduled time. */
  readonly time: number;
  readonly startedAt: number | undefined;
  readonly endedAt: number | undefined;
  readonly exitCode: number | undefined;
  readonly outcome: 'done' | 'failed' | 'lost' | 'running';
}

export interface EndView {
  readonly at: number;
  readonly exitCode: number | undefined;
  readonly reason: string;
}

export interface QueryAddress {
  readonly host: string;
  readonly port: number;
  /** The engine's id: a connection kept for another instance must not be used. */
  readonly instance: string;
}
