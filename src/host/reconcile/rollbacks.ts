import type { BotSpec } from '../bots/botSpec.ts';

/** A rollback of a bot's state that an operator has asked for: recorded until its last step has been done. */
export interface Rollback {
  /** Its identity, milliseconds. */
  readonly askedAt: number;
  /** The snapshot that is to be the newest again. */
  readonly sequence: number;
  /** What is to be wanted again with it; undefined: the bot has only ever been what it is. */
  readonly spec?: BotSpec | undefined;
  /** The snapshot is the newest. */
  readonly published?: true;
  /** When `spec` was written to the source, milliseconds. */
  readonly writtenAt?: number;
}

/** What a rollback is done with. Each may be repeated. */
export interface Rollbacks {
  /** Throws `not-found`, with the sequences that there are. */
  check(bot: string, sequence: number, signal: AbortSignal): Promise<void>;
  /**
   * The bot has been seen dead. Makes the snapshot the newest and puts what lies on this machine aside. Throws `not-found` and
   * `damaged` with nothing changed.
   */
  publish(bot: string, rollback: Rollback, signal: AbortSignal): Promise<void>;
  /** Writes it to the source. */
  want(spec: BotSpec): Promise<void>;
}
