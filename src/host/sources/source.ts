import type { BotSpec } from '../bots/botSpec.ts';

/**
 * The room of what is wanted: where a host reads its bots, and where it writes a change that an operator asks for.
 *
 *   directory    files and folders on this machine (`readBotFile`, `packFolder`, `directoryHints`, `directoryWriter`)
 *   bucket       one object per bot
 *   kubernetes/  the custom resource `Bot` of a cluster
 *   the0/        the collections of its MongoDB, and the events of its API
 */

/**
 * Where wanted bots are written down. A source tells by whole listings: what is not in one is not wanted, and a listing that
 * could not be read to its end is a failure, never a shorter listing.
 */
export interface Source {
  /** As the operator gave it, without secrets: `dir:/etc/runtime/bots`. */
  readonly label: string;
  /**
   * Lists, tells, and goes on doing so whenever something may have changed, until the signal. Rejects only for what cannot get
   * better (`config`).
   */
  run(observer: SourceObserver, signal: AbortSignal): Promise<void>;
  /** Undefined: the source is read-only. */
  readonly writer: SourceWriter | undefined;
  /** Keeps when scheduled bots run next, milliseconds, for others to read. Undefined: it has no place for that. */
  noteNextTimes?(times: ReadonlyMap<string, number>): Promise<void>;
}

export interface SourceObserver {
  /** `meant`: of those that are not in it, the ones that somebody has deleted one by one, by name: no slip of the source. */
  listed(listing: Listing, meant?: ReadonlySet<string>): void;
  /** It does not answer. What was wanted before stays wanted. */
  failed(error: unknown): void;
}

export type Listing = ReadonlyMap<string, Entry>;

/** One bot of a listing, under the name by which the source knows it (for what does not parse: its file's). */
export type Entry =
  | { readonly spec: BotSpec; readonly origin: string }
  /** Not readable as a bot: what runs under this name stays as it is. */
  | { readonly problems: readonly string[]; readonly origin: string };

/** Changes what is wanted, at the source itself. Resolves when it is written; the next listing has it. */
export interface SourceWriter {
  /** The text of a `bot.yaml` or its JSON; replaces the one of the same name. Throws `config` with every problem. */
  apply(text: string): Promise<string>;
  enable(bot: string, enabled: boolean): Promise<void>;
  /** Nothing when there is none. */
  remove(bot: string): Promise<void>;
}
