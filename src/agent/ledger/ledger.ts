import type { Cost, Tokens } from '../links/agentLink.ts';

/** The room of what turns have cost: one line a turn, where the bot cannot write, shipped beside its logs, never rolled back. */
export interface Ledger {
  /**
   * A turn has ended. Called before anybody is told so, and once; again with the same `requestId` only after a crash in between: a known
   * id is skipped. Resolves when the line outlives our own death. Throws where it cannot be kept.
   */
  record(line: LedgerLine): Promise<void>;
  totals(query: TotalsQuery): Promise<Totals>;
  /** What is held up, in words, for the agent's health; undefined: nothing. */
  trouble(): string | undefined;
  close(): Promise<void>;
}

export interface LedgerLine {
  /** The turn's id. */
  readonly requestId: string;
  /** When it ended; RFC 3339, UTC. */
  readonly at: string;
  /** The bot. */
  readonly agent: string;
  /** One life of the agent's process; null: it had none. */
  readonly instance: string | null;
  readonly kind: string;
  readonly conversation: string;
  readonly model: string | null;
  readonly provider: string | null;
  readonly tokens: Tokens;
  readonly costs: readonly Cost[];
  /** Of all that is in `tokens` and `costs`; null unless the agent says it. */
  readonly usd: number | null;
  readonly source: 'reported' | 'estimated';
  readonly status: 'completed' | 'failed' | 'cancelled';
  readonly durationMs: number;
  readonly firstTokenMs: number | null;
}

/** From `since` on, before `until`, milliseconds since the epoch; undefined: no limit. */
export interface TotalsQuery {
  readonly since?: number | undefined;
  readonly until?: number | undefined;
  readonly conversation?: string | undefined;
}

/** What `get_usage` answers. */
export interface Totals {
  readonly from: string | null;
  readonly until: string;
  readonly turns: { readonly completed: number; readonly failed: number; readonly cancelled: number };
  readonly tokens: Tokens;
  readonly costs: readonly Cost[];
  readonly byModel: readonly {
    readonly model: string | null;
    readonly provider: string | null;
    readonly turns: number;
    readonly tokens: Tokens;
  }[];
  /** `estimated` where one of the turns is. */
  readonly source: 'reported' | 'estimated';
}
