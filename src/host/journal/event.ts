/** What has happened to a bot or to the host. Kept in the journal, streamed to whoever watches. */
export interface HostEvent {
  /** Increasing, never used twice on one data folder. */
  readonly id: number;
  /** Milliseconds. */
  readonly at: number;
  /** Undefined: the host itself. */
  readonly bot: string | undefined;
  readonly type: HostEventType;
  /** One sentence for an operator. */
  readonly message: string;
  /** Scheduled time, exit code, hashes, … */
  readonly facts: Readonly<Record<string, string | number | boolean>>;
}

export type HostEventType =
  | 'adopted'
  | 'claimed'
  | 'created'
  | 'started'
  | 'stopping'
  | 'ended'
  | 'restarting'
  | 'held'
  | 'missed'
  | 'skipped'
  | 'queued'
  | 'lost'
  | 'fenced'
  | 'held-elsewhere'
  | 'taken-over'
  | 'host-doubled'
  | 'changed'
  | 'invalid'
  | 'failed'
  | 'over-disk'
  | 'removed'
  | 'rolled-back'
  | 'mass-delete'
  | 'draining'
  | 'resumed'
  | 'host-started'
  | 'source-failed'
  | 'source-back'
  | 'engine-lost'
  | 'engine-back';

/** An event before the journal has numbered it. */
export type NewEvent = Omit<HostEvent, 'id' | 'at'>;

export interface EventQuery {
  readonly bot?: string;
  /** Only later ones. */
  readonly afterId?: number;
  /** The newest so many. */
  readonly limit?: number;
}

export interface Journal {
  write(event: NewEvent): void;
  read(query: EventQuery): Promise<readonly HostEvent[]>;
  /** Called for each event from now on; the result ends it. */
  subscribe(listener: (event: HostEvent) => void): () => void;
}
