/** A conversation with the agent of a sandbox. As it is kept; times are milliseconds. */
export interface Session {
  readonly id: string;
  readonly owner: string;
  readonly sandbox: string;
  /** It was made for this session, and goes with it. */
  readonly ownsSandbox: boolean;
  readonly createdAt: number;
  readonly metadata: unknown;
  /** The newest are kept, oldest first. */
  readonly executions: readonly Execution[];
}

/** What became of one message. At most one turn of the agent's belongs to it. */
export interface Execution {
  /** What the agent knows it by: its idempotency key. */
  readonly id: string;
  /** Given by the client: the same key is the same execution. */
  readonly key: string | undefined;
  /** Until it has ended. */
  readonly message: string | undefined;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly status: 'running' | 'completed' | 'failed' | 'cancelled';
  readonly createdAt: number;
  readonly endedAt: number | undefined;
  readonly result: ExecutionResult | undefined;
}

export interface ExecutionResult {
  /** Cut to what clients take. */
  readonly finalText: string;
  readonly tokenUsage: { readonly inputTokens: number; readonly outputTokens: number };
  readonly error: { readonly message: string; readonly code: string } | undefined;
}

export const MOST_EXECUTIONS = 100;

/** The last event of a session. */
export const SESSION_DELETED = 'session.deleted';
