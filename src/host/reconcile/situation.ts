import type { BotSpec } from '../bots/botSpec.ts';
import type { Instance } from '../engine/engine.ts';
import type { Schedule } from '../schedule/schedule.ts';
import type { Recorded } from './recorded.ts';

/** Everything that a decision about one bot depends on. */
export interface Situation {
  readonly bot: string;
  readonly wanted: Wanted;
  /** Those of roles `bot` and `run`; undefined: the engine has not answered. */
  readonly instances: readonly Instance[] | undefined;
  readonly recorded: Recorded;
  readonly now: number;
  /** The end with 0 that is not recorded yet came after a SIGTERM that was not the host's. */
  readonly toldToEnd?: boolean;
  readonly gates: Gates;
}

export type Wanted =
  /** The source has not answered yet. */
  | { readonly type: 'unknown' }
  /** The source has none, and the guard against mass deletes agrees. */
  | { readonly type: 'absent' }
  /** There is something under this name that is not a bot, and never was one: what runs stays as it is. */
  | { readonly type: 'invalid'; readonly problems: readonly string[] }
  | Present;

export interface Present {
  readonly type: 'present';
  readonly spec: BotSpec;
  /** Where the source has it. */
  readonly origin: string;
  /** What is wrong with what the source has now: `spec` is the last that was a bot, and holds until it is one again. */
  readonly problems?: readonly string[];
  /** Of what an instance would be made of now; undefined: its image or code are not here yet. */
  readonly hash: string | undefined;
  /** What it would have in common with all others: `Instances.base`. */
  readonly base?: string | undefined;
  /** Set for scheduled bots. */
  readonly schedule: Schedule | undefined;
}

/** What keeps the bot from being started or replaced now, besides itself. */
export interface Gates {
  readonly draining: boolean;
  /** Undefined: it may be started. */
  readonly start: ClosedGate | undefined;
  /** False: an instance of an older hash stays for now; its wave has not come. */
  readonly replace: boolean;
  /** Why an instance that runs has to end: it takes from others what is not its own. */
  readonly leave?: string;
  /** Whose it is, where it is not this host's: no time of it is given out here. Undefined: this host's. */
  readonly owner?: 'asking' | 'elsewhere';
}

export interface ClosedGate {
  readonly reason: string;
  readonly message: string;
  /** Who closed it tells when it opens: it need not be looked at until then. */
  readonly isTold?: boolean;
}

/** A situation whose engine has answered. */
export type Seen = Situation & { readonly instances: readonly Instance[] };

/** … of a bot that is wanted. */
export type SeenPresent = Seen & { readonly wanted: Present };
