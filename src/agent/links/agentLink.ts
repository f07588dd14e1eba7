import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';

/**
 * The room of what carries turns to an agent's process, whatever that speaks: a file each for our own handlers (`handlerLink`) and for
 * every protocol of agents that exist already. A link knows one life of the process and no conversations: order, limits, keys and
 * what became of a turn are kept by ../turns, which has one link at a time.
 */

/** One life of an agent's process, as something that turns can be sent to. */
export interface AgentLink {
  /**
   * Resolves once the agent answers, whatever was under way before is cancelled: the process may have been spoken to by a query server
   * that has died. Rejects with an `AgentError`, or with the signal's reason.
   */
  ready(signal: AbortSignal): Promise<AgentDescription>;
  /**
   * One turn; `tell` gets its events as they come, none after it has settled. Aborted, the agent is told to cancel and gets
   * `CANCEL_MS` to end the turn by itself; either way the promise settles within that time. Rejects with an `AgentError`, or with the
   * signal's reason where the agent did not end it in time.
   */
  send(turn: TurnRequest, tell: (event: TurnEvent) => void, signal: AbortSignal): Promise<TurnEnd>;
  /** Whether it still answers, where that can be asked at no cost; asked after failed turns and every 5 s. Default: while it lives. */
  check?(signal: AbortSignal): Promise<boolean>;
  /** Nothing more is sent. Does not end the agent. */
  close(): Promise<void>;
}

/** What an agent that was told to cancel a turn gets to end it by itself, milliseconds. */
export const CANCEL_MS = 5000;

export interface LinkOptions {
  readonly channel: AgentChannel;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The agent's process, which the supervisor keeps: its descriptor 3 or its stdin and stdout, and its end. */
export interface AgentChannel {
  /** Sends text of any length; false where there is no reader. */
  write(text: string): boolean;
  /** What the agent writes, cut anywhere but inside a character. One listener; nothing is lost before there is one. */
  listen(take: (text: string) => void): void;
  /** Aborted when the process has ended, with an `AgentError` as its reason: wait for it before a failure is named. */
  readonly closed: AbortSignal;
  /** Names this life of the process: figures that add up begin anew with another one. */
  readonly instance?: string;
}

export interface AgentDescription {
  readonly agent: { readonly name: string; readonly version: string };
  readonly capabilities: Capabilities;
}

/** What differs between agents is said here and nowhere else. */
export interface Capabilities {
  readonly streaming: boolean;
  readonly cancel: boolean;
  /** What it remembers of a conversation outlives its process, does not, or there is nothing. */
  readonly conversations: 'persistent' | 'process' | 'none';
  readonly usage: 'reported' | 'estimated' | 'none';
  /** Types of content parts: `text`, `image`. */
  readonly attachments: readonly string[];
  /** Turns that it takes at once, in different conversations. */
  readonly concurrency?: number;
}

export type ContentPart =
  | { readonly type: 'text'; readonly text: string }
  /** `data` is base64. */
  | { readonly type: 'image'; readonly mimeType: string; readonly data: string };

export interface TurnRequest {
  /** `msg_…` */
  readonly id: string;
  readonly conversation: string;
  /** What an earlier turn of this conversation ended with. */
  readonly session: string | undefined;
  readonly message: readonly ContentPart[];
  readonly metadata: Readonly<Record<string, unknown>>;
}

export type TurnEvent =
  | { readonly type: 'delta' | 'thought'; readonly text: string }
  | { readonly type: 'tool'; readonly id: string; readonly name: string; readonly status: string }
  /** Of this turn alone: a link makes differences of what is told as totals. Several add up. */
  | { readonly type: 'usage'; readonly usage: ReportedUsage };

export interface TurnEnd {
  readonly stopReason: StopReason;
  /** The agent's own name of the conversation, given to its next turn; kept with the saved state. */
  readonly session?: string;
  /** In addition to what events told. */
  readonly usage?: ReportedUsage;
}

export type StopReason = 'end' | 'max_tokens' | 'max_turns' | 'refusal' | 'cancelled' | 'error';

export interface ReportedUsage {
  readonly model?: string;
  readonly provider?: string;
  readonly tokens?: Partial<Tokens>;
  readonly usd?: number;
  readonly costs?: readonly Cost[];
}

/** `total` is the sum of input and output where the agent says nothing else. */
export interface Tokens {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
  readonly reasoning: number;
  readonly total: number;
}

export interface Cost {
  /** `llm.tokens`, `tool.calls`, `voice`, …: a name, not one of a closed set. */
  readonly type: string;
  readonly unit: string;
  readonly quantity: number;
  readonly usd: number | null;
}

export type AgentFailure = 'agent_failed' | 'agent_died' | 'agent_refused' | 'agent_unreachable';

/** A turn, or all of them, failed on the agent's side; the message is shown to the client. */
export class AgentError extends Error {
  override readonly name = 'AgentError';
  readonly code: AgentFailure;

  constructor(code: AgentFailure, message: string) {
    super(message);
    this.code = code;
  }
}
