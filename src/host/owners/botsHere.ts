import type { Life } from './heartbeat.ts';
import type { OwnerHost } from './owners.ts';

/** The bots of this host, as far as their owners matter. */
export interface BotsHere {
  all(): Iterable<string>;
  /** `take`: it runs here, or would. `leave`: nothing of it is here. `keep`: as it is. */
  wish(bot: string): 'take' | 'leave' | 'keep';
  /** Whose it is has changed. */
  wake(bot: string): void;
  /** Bots that this host would run are another's from now on. */
  refused(by: OwnerHost, bots: readonly string[]): void;
  /** It is this host's, and was another's before, who was last heard of at `heardAt`. */
  takenOver(bot: string, from: OwnerHost, heardAt: number | undefined): void;
  /** Another life of this very host; `message` where this one is the copy. */
  doubled(other: Life, message: string | undefined): void;
}
